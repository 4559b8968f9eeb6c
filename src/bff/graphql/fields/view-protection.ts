import type { Type } from '@nestjs/common';
import { isObjectType, type GraphQLSchema } from 'graphql';
import type { Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import type { SectionFilter, SectionFilters, ViewGuard, Visible } from '../../view-guards.ts';
import type { RunnableView } from '../../view-run.ts';
import type { Selection } from '../../view-selection.ts';
import { firstRefused } from './field-guard.ts';
import { grant, type FieldPolicies } from './field-policies.ts';
import type { Requirement } from './field-requirements.ts';
import { PartCompiler, type ProtectedPart, type ShownField } from './protected-part.ts';
import { typeClasses } from './type-classes.ts';
import { boundView } from './view-resolver.ts';
import { visible } from './visible-part.ts';

/** What a schema is made of, as far as views are protected by it. */
export interface ProtectionDeps {
  readonly schema: GraphQLSchema;
  readonly resolvers: readonly Type[];
  readonly policies: FieldPolicies;
  /** Whether what the caller may not see costs the field or the whole answer. */
  readonly denied: 'field' | 'operation';
}

/**
 * Carries the policies of the fields of a schema over to the REST face of its views: a section shows what the field of
 * its type shows, so it is guarded by the same requirements, and so is what is inside.
 */
export class ViewProtection {
  readonly #compiler: PartCompiler;
  readonly #isWhole: boolean;
  readonly #guards = new WeakMap<RunnableView, ViewGuard | 'none'>();

  constructor({ schema, resolvers, policies, denied }: ProtectionDeps) {
    this.#compiler = new PartCompiler(schema, policies, boundFields(schema, resolvers));
    this.#isWhole = denied === 'operation';
  }

  /** The guard of a view; undefined when nothing that it shows is protected. */
  of(view: RunnableView): ViewGuard | undefined {
    let guard = this.#guards.get(view);
    if (guard === undefined) this.#guards.set(view, (guard = this.#compile(view) ?? 'none'));
    return guard === 'none' ? undefined : guard;
  }

  #compile(view: RunnableView): ViewGuard | undefined {
    const { parts, faults } = this.#compiler.partsOf(view);
    if (parts.size === 0 && faults.length === 0) return undefined;
    const isWhole = this.#isWhole;
    const isConditional = [...parts.values()].some((part) => asksForEach(part.asked));
    const filters = (exchange: Exchange, lacking: ReadonlySet<Requirement>): SectionFilters =>
      new Map([...parts].map(([index, part]) => [index, filterOf(part, exchange, lacking)]));
    return {
      faults,
      filtersFor(exchange: Exchange, { names }: Selection): SectionFilters | Promise<SectionFilters> {
        // Fails closed: what cannot be kept from anybody is shown to nobody.
        if (faults.length > 0) throw new Error(faults.join('\n'));
        const asked = new Set(
          names.flatMap((name) => [...(parts.get(view.indexOf(name) ?? -1)?.asked ?? [])]),
        );
        const decide = (granted: ReadonlySet<Requirement>): SectionFilters => {
          const lacking = new Set([...asked].filter((one) => !granted.has(one)));
          const denying = [...lacking].filter(({ masks }) => !masks);
          if (isWhole && denying.length > 0) throw new Problem('permission-denied', { by: denying[0]?.by });
          if (denying.length > 0) noteDenied(exchange, denying);
          return lacking.size === 0 && !isConditional ? NO_FILTERS : filters(exchange, lacking);
        };
        const granted = grant([...asked], exchange);
        return granted instanceof Promise ? granted.then(decide) : decide(granted);
      },
    };
  }
}

function asksForEach(asked: ReadonlySet<Requirement>): boolean {
  return [...asked].some(({ stage }) => stage.field !== undefined);
}

/** Shows a section as somebody may see it, who lacks what could be decided before. */
function filterOf(part: ProtectedPart, exchange: Exchange, lacking: ReadonlySet<Requirement>): SectionFilter {
  return (value, parent): Visible => {
    const denying = new Set<Requirement>();
    const shown = visible(
      value,
      part,
      {
        lacking,
        refused: (requirements, args, of) => firstRefused(requirements, exchange, args, of),
        // The others were told of before anything ran.
        denied: (one) => void (lacking.has(one) || denying.add(one)),
      },
      parent,
    );
    if (denying.size > 0) noteDenied(exchange, [...denying]);
    return shown;
  };
}

function noteDenied(exchange: Exchange, denying: readonly Requirement[]): void {
  const { audit } = exchange.snapshot ?? {};
  audit?.partsDenied(
    exchange,
    denying.map(({ by }) => new Problem('permission-denied', { by })),
  );
}

const NO_FILTERS: SectionFilters = new Map();

/**
 * The fields that show a section, by the function that loads it: that is what a view keeps of a section when it is
 * extended, shaped for a kind of client, or taken into another one.
 */
function boundFields(
  schema: GraphQLSchema,
  resolvers: readonly Type[],
): ReadonlyMap<unknown, readonly ShownField[]> {
  const found = new Map<unknown, ShownField[]>();
  const classes = typeClasses(schema);
  for (const { views, type } of resolvers.flatMap((one) => boundView(one) ?? [])) {
    const shown = type();
    const types = classes.flatMap(([name, target]) => (target === shown ? [schema.getType(name)] : []));
    const fields = types.flatMap((one) =>
      isObjectType(one) ? Object.values(one.getFields()).map((field) => ({ type: one.name, field })) : [],
    );
    for (const { name, load } of views.flatMap(({ sections }) => sections)) {
      const named = fields.filter(({ field }) => field.name === name);
      found.set(load, [...(found.get(load) ?? []), ...named]);
    }
  }
  return found;
}

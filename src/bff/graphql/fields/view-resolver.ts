import { ResolveField, Resolver } from '@nestjs/graphql';
import type { Call } from '../../../calls/call.ts';
import type { Section } from '../../section.ts';
import type { ViewSectionRun } from '../../view-section-run.ts';
import { ViewRun, type RunnableView } from '../../view-run.ts';
import type { AnyVariants } from '../../view-variants.ts';
import type { ViewValues } from '../../view.ts';
import { Calls } from './calls.decorator.ts';
import { rootKeyOf, type OperationContext, type ResponsePath } from '../execution/operation-context.ts';

/** An object type whose fields can show what the sections of a view may be; else one that names those that cannot. */
type Showing<Values, Shown> = [Unfit<Values, Shown>] extends [never]
  ? () => new () => Shown
  : () => new () => {
      readonly [Name in Unfit<Values, Shown>]: MustShow<ValueOf<Values, Name>>;
    };

/** What the compiler says that a field has to be able to show. */
interface MustShow<Value> {
  readonly value: Value;
}

type Unfit<Values, Shown> = {
  [Name in NamesIn<Values>]: Name extends keyof Shown
    ? [ValueOf<Values, Name>] extends [Shown[Name]]
      ? never
      : Name
    : Name;
}[NamesIn<Values>];

type ValueOf<Values, Name> = Values extends unknown
  ? Name extends keyof Values
    ? Values[Name]
    : never
  : never;

type NamesIn<Values> = Values extends unknown ? keyof Values : never;

/** What all kinds of clients may be shown: `null` for a section that is left out for one of them. */
type Filled<Values, Names extends PropertyKey = NamesIn<Values>> = Values extends unknown
  ? Values & Readonly<Record<Exclude<Names, keyof Values>, null>>
  : never;

/** The values of a view; of one that differs by kind of client those of each, with all of its fields. */
type ShownBy<Of> = Of extends { readonly types?: { readonly values: infer Values } }
  ? Filled<Values>
  : ViewValues<Of>;

/**
 * Makes a class the resolver of an object type that shows a view: adds one field resolver for each section, on
 * Nest's fast path. A query of the class returns `views.start(view, input, exchange)`; then only the sections
 * that the client selects run. The compiler checks that the object type has a field for each section. A section
 * that is another view resolves to the run of that view, so its object type needs a resolver of this kind too.
 *
 * A view that differs by kind of client does so here too, as far as one schema can say it: the compiler wants
 * fields for the sections of all kinds, nullable where a kind has none, and picks that keep what the type promises.
 */
export function ViewResolver<Of extends RunnableView | AnyVariants, Shown>(
  of: Of,
  // One signature: of several the compiler tells why the last one does not fit, whichever was meant.
  type: Showing<ShownBy<Of>, Shown>,
): ClassDecorator {
  const view: RunnableView | AnyVariants = of;
  const views = 'default' in view ? shapesOf(view) : [view];
  const names = new Set(views.flatMap(({ sections }) => sections.map(({ name }) => name)));
  return (target) => {
    const prototype = target.prototype as Record<string, unknown>;
    for (const name of names) {
      const key = `section_${name}`;
      prototype[key] = sectionResolver(name);
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
      ResolveField(name)(prototype, key, descriptor);
      Calls(...callsOfSections(views, name))(prototype, key, descriptor);
    }
    Resolver(type as () => new () => unknown)(target);
    Reflect.defineMetadata(BOUND_VIEW, { views, type } as BoundView, target);
  };
}

function shapesOf({ default: whole, views }: AnyVariants): readonly RunnableView[] {
  return [whole, ...views.values()];
}

/** A view, in all its shapes, and the class of the object type that shows it. */
export interface BoundView {
  readonly views: readonly RunnableView[];
  readonly type: () => unknown;
}

const BOUND_VIEW = Symbol('gatehouse:bound-view');

/** What a class that {@link ViewResolver} stands on shows; undefined for any other class. */
export function boundView(resolver: object): BoundView | undefined {
  return Reflect.getMetadata(BOUND_VIEW, resolver) as BoundView | undefined;
}

type SectionResolver = (
  source: unknown,
  args: unknown,
  context: OperationContext,
  info: { readonly path: ResponsePath },
) => unknown;

const sectionResolvers = new WeakSet<object>();

/** Whether a method resolves a section of a view; what its function calls is known only when it runs. */
export function isSectionResolver(method: object): boolean {
  return sectionResolvers.has(method);
}

/** The calls that the sections of a name are declared with, in all views. */
function callsOfSections(views: readonly RunnableView[], name: string): readonly Call<never, unknown>[] {
  const sections = views.flatMap((view) => view.sections.filter((section) => section.name === name));
  return sections.flatMap(({ source, element }) => source ?? element ?? []);
}

function sectionResolver(name: string): SectionResolver {
  const resolver: SectionResolver = (source, _args, context, { path }) => {
    // A view of which only a part was picked comes as plain data.
    if (!(source instanceof ViewRun)) return (source as Readonly<Record<string, unknown>>)[name];
    const index = source.view.indexOf(name);
    context.viewRoots?.add(rootKeyOf(path));
    // Not for this kind of client; nothing has failed, so nothing is degraded.
    if (index === undefined || source.view.sections[index]?.hidden === true) return null;
    const run = source.at(index);
    const { pick, element } = run.section;
    if (canDegrade(run.section)) context.placed.push({ run, path });
    if (pick !== undefined) return run.picked();
    return element === undefined ? run.result : elementsOf(run);
  };
  sectionResolvers.add(resolver);
  return resolver;
}

/** Whether something else than what its source says can stand in for a section, or for a part of it. */
function canDegrade({ required, pick, isOpen, source }: Section): boolean {
  if (!required || pick !== undefined || isOpen) return true;
  // The call of a section can have a fallback of its own, or a stale value.
  const { fallback, cache } = source?.plan ?? {};
  return fallback !== undefined || cache !== undefined;
}

/** An element that failed alone is an error of its own in the answer. */
async function elementsOf(run: ViewSectionRun): Promise<unknown> {
  const values = await run.result;
  const { faults = [] } = run;
  if (faults.length === 0 || !Array.isArray(values)) return values;
  const elements: unknown[] = [...values];
  for (const { index, problem } of faults) elements[index] = problem;
  return elements;
}

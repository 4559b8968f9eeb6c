import { getNamedType, type GraphQLField, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import type { RunnableView } from '../../view-run.ts';
import type { FieldPolicies } from './field-policies.ts';
import type { Requirement } from './field-requirements.ts';
import { possibleTypes } from './repeated-types.ts';

/** A field that shows something, and the object type that it is a field of. */
export interface ShownField {
  readonly type: string;
  readonly field: GraphQLField<unknown, unknown>;
}

/** A part of an answer, and who may see it. Parts can contain each other. */
export interface ProtectedPart {
  readonly guards: readonly Requirement[];
  /** What conditions on the part see as `args`: what a query that gives no arguments would have. */
  readonly args: Readonly<Record<string, unknown>>;
  /** What every object that it can show asks for by itself, each as its own `parent`. */
  readonly ofObjects: readonly Requirement[];
  /** The properties inside that are protected, or contain something that is. */
  readonly inner: ReadonlyMap<string, ProtectedPart>;
}

/** What a view shows that is protected. */
export interface ProtectedView {
  /** By the index of the section, with everything that is asked for within. */
  readonly parts: ReadonlyMap<number, ProtectedPart & { readonly asked: ReadonlySet<Requirement> }>;
  /** What cannot be protected, as messages. */
  readonly faults: readonly string[];
}

/** What a part may be: what any of the fields shows, or what the view shows that is run for it. */
interface Source {
  readonly fields: readonly ShownField[];
  readonly nested: RunnableView | undefined;
}

/** Finds the protected parts of views, going by the types of the fields that show their sections. */
export class PartCompiler {
  readonly #schema: GraphQLSchema;
  readonly #policies: FieldPolicies;
  readonly #bound: ReadonlyMap<unknown, readonly ShownField[]>;

  /** @param bound the fields that show a section, by the function that loads it. */
  constructor(
    schema: GraphQLSchema,
    policies: FieldPolicies,
    bound: ReadonlyMap<unknown, readonly ShownField[]>,
  ) {
    this.#schema = schema;
    this.#policies = policies;
    this.#bound = bound;
  }

  /** What a view shows that not everybody may see. */
  partsOf(view: RunnableView): ProtectedView {
    const search: Search = { faults: new Set(), known: new Map() };
    const parts = view.sections.flatMap(({ name, index, hidden, load, nested }) => {
      if (hidden) return [];
      const source = { fields: this.#bound.get(load) ?? [], nested };
      const part = this.#part(source, `the view ${view.name}: ${name}`, search);
      const asked = askedIn(part);
      return asked.size === 0 ? [] : ([[index, { ...part, asked }]] as const);
    });
    for (const inner of search.known.values())
      for (const [name, part] of inner) if (askedIn(part).size === 0) inner.delete(name);
    return { parts: new Map(parts), faults: [...search.faults] };
  }

  #part(source: Source, path: string, search: Search): ProtectedPart {
    const { fields } = source;
    return {
      guards: this.#guards(fields, path, search),
      args: defaultsOf(fields),
      ofObjects: [...new Set(fields.flatMap(({ field }) => [...this.#common(field)].filter(isOfEach)))],
      inner: this.#inner(source, path, search),
    };
  }

  #guards(fields: readonly ShownField[], path: string, { faults }: Search): readonly Requirement[] {
    const [first = NOBODY, ...others] = fields.map(({ field }) => this.#asked(field));
    const other = others.findIndex(
      (one) => one.size !== first.size || [...one].some((asked) => !first.has(asked)),
    );
    if (other >= 0) faults.add(undecided(path, fields[0], fields[other + 1]));
    return [...first];
  }

  /** What a field asks for, and what all objects do that it can show. */
  #asked(field: ShownField['field']): ReadonlySet<Requirement> {
    // What is asked of each object is asked where it is known.
    const common = [...this.#common(field)].filter((one) => !isOfEach(one));
    return new Set([...(this.#policies.of(field)?.requirements ?? []), ...common]);
  }

  /** What all objects ask for that a field can show. */
  #common(field: ShownField['field']): ReadonlySet<Requirement> {
    const [first = NOBODY, ...others] = this.#typesOf(field).map(({ name }) => this.#policies.ofType(name));
    return new Set([...first].filter((one) => others.every((other) => other.has(one))));
  }

  // What has the same types is the same: types that contain each other end here.
  #inner({ fields, nested }: Source, path: string, search: Search): ReadonlyMap<string, ProtectedPart> {
    const types = [...new Set(fields.flatMap(({ field }) => this.#typesOf(field)))];
    const known = [...search.known].find(([key]) => isSame(key, { types, nested }));
    if (known !== undefined) return known[1];
    const inner = new Map<string, ProtectedPart>();
    search.known.set({ types, nested }, inner);
    for (const [name, source] of this.#properties({ types, nested }, path, search))
      inner.set(name, this.#part(source, `${path}.${name}`, search));
    return inner;
  }

  #properties({ types, nested }: Shape, path: string, search: Search): ReadonlyMap<string, Source> {
    const found = new Map<string, Source>();
    const add = (name: string, source: Source): void => {
      const before = found.get(name);
      const fields = [...(before?.fields ?? []), ...source.fields];
      const distinct = fields.filter(
        (one, at) => fields.findIndex(({ field }) => field === one.field) === at,
      );
      found.set(name, { fields: distinct, nested: source.nested ?? before?.nested });
    };
    for (const type of types)
      for (const field of Object.values(type.getFields()))
        for (const name of this.#policies.propertiesOf(type.name, field.name))
          add(name, { fields: [{ type: type.name, field }], nested: undefined });
    for (const { name, load, hidden, pick, nested: below } of nested?.sections ?? []) {
      const source = { fields: this.#bound.get(load) ?? [], nested: below };
      if (hidden) continue;
      add(name, source);
      if (pick === undefined || askedIn(this.#part(source, `${path}.${name}`, search)).size === 0) continue;
      search.faults.add(
        `${path}.${name} is protected, and a kind of client is shown what a function makes of it`,
      );
    }
    return found;
  }

  #typesOf({ type }: ShownField['field']): readonly GraphQLObjectType[] {
    return possibleTypes(this.#schema, getNamedType(type));
  }
}

interface Shape {
  readonly types: readonly GraphQLObjectType[];
  readonly nested: RunnableView | undefined;
}

interface Search {
  readonly faults: Set<string>;
  readonly known: Map<Shape, Map<string, ProtectedPart>>;
}

const NOBODY: ReadonlySet<Requirement> = new Set();

/** Whether it is decided for each object by itself. */
function isOfEach({ stage }: Requirement): boolean {
  return stage.field !== undefined;
}

// Fails closed: a condition that asks for an argument without a default cannot be told.
function defaultsOf(fields: readonly ShownField[]): Readonly<Record<string, unknown>> {
  const [first = {}, ...others] = fields.map(({ field }) =>
    Object.fromEntries(
      field.args.flatMap(({ name, defaultValue }) =>
        defaultValue === undefined ? [] : [[name, defaultValue]],
      ),
    ),
  ) as Record<string, unknown>[];
  const isAgreed = (name: string, value: unknown): boolean =>
    others.every((other) => JSON.stringify(other[name]) === JSON.stringify(value));
  return Object.fromEntries(Object.entries(first).filter(([name, value]) => isAgreed(name, value)));
}

function isSame(a: Shape, b: Shape): boolean {
  return (
    a.nested === b.nested &&
    a.types.length === b.types.length &&
    a.types.every((one) => b.types.includes(one))
  );
}

function undecided(path: string, a: ShownField | undefined, b: ShownField | undefined): string {
  const [one, other] = [a, b].map((shown) =>
    shown === undefined ? '' : `${shown.type}.${shown.field.name}`,
  );
  return (
    `${path} is ${one} or ${other}, which are not protected in the same way: GraphQL goes by the type, but REST ` +
    'serves the view too and cannot know it; protect both alike, or leave the section out of the view'
  );
}

function askedIn(part: ProtectedPart, seen = new Set<ProtectedPart>()): Set<Requirement> {
  const asked = new Set([...part.guards, ...part.ofObjects]);
  if (seen.has(part)) return asked;
  seen.add(part);
  for (const inner of part.inner.values()) for (const one of askedIn(inner, seen)) asked.add(one);
  return asked;
}

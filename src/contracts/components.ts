import type { Answer, Components, HeaderField, JsonSchema, Reference } from './openapi.ts';

const DEFINITIONS = '#/$defs/';
const SCHEMAS = '#/components/schemas/';

/** Two schemas that are not the same, with one id. */
export interface Clash {
  readonly id: string;
  /** Where the first one was met. */
  readonly first: string;
}

/** A schema that a team has given an id. */
interface Named {
  readonly schema: object;
  readonly raw: string;
  readonly where: string;
}

/** Collects what the operations of one document share; what is equal is kept once. */
export class ComponentStore {
  /** Whose schemas come next, for {@link clashes}. */
  where = '';
  /** Ids that two schemas have which are not the same. */
  readonly clashes: Clash[] = [];
  readonly #named = new Map<string, Named>();
  readonly #schemas = new Map<string, { readonly raw: string; schema: JsonSchema }>();
  /** Names that only one thing has, such as those of messages. */
  readonly #recursive = new Set<string>();
  readonly #responses = new Map<string, { readonly raw: string; readonly answer: Answer }>();

  /**
   * Keeps a schema under a name, or under `Name2` when another one has it already.
   *
   * @returns the reference to it.
   */
  schema(name: string, schema: JsonSchema): Reference {
    return { $ref: SCHEMAS + this.#reserve(name, schema, JSON.stringify(schema)) };
  }

  /** Keeps a schema that may refer to itself: its name stands before it is made, and is made once. */
  recursive(name: string, make: () => JsonSchema): Reference {
    if (!this.#recursive.has(name)) {
      this.#recursive.add(name);
      this.schema(name, make());
    }
    return { $ref: SCHEMAS + name };
  }

  /**
   * Moves the `$defs` of a schema into the components.
   *
   * @param owners what was described, by the ids that it was given.
   * @param side which side of it: what is sent and what comes out of one schema may differ.
   */
  lift(
    { $schema: _dialect, $defs, ...schema }: JsonSchema,
    owners?: ReadonlyMap<string, object>,
    side = '',
  ): JsonSchema {
    const definitions = Object.entries(($defs ?? {}) as Record<string, JsonSchema>);
    for (const [name, definition] of definitions) this.#compare(name, definition, owners?.get(name), side);
    const names = new Map<string, string>();
    for (const [name, definition] of definitions) {
      const { $schema: _, id: __, ...plain } = definition;
      names.set(name, this.#reserve(name, plain, JSON.stringify(plain)));
    }
    for (const final of names.values()) {
      const kept = this.#schemas.get(final);
      if (kept !== undefined) kept.schema = withNames(kept.schema, names);
    }
    return withNames(schema, names);
  }

  /** Keeps an answer, named after what it is. */
  response(name: string, answer: Answer): Reference {
    const raw = JSON.stringify(answer);
    let final = name;
    for (let count = 2; (this.#responses.get(final)?.raw ?? raw) !== raw; count += 1)
      final = `${name}${count}`;
    this.#responses.set(final, { raw, answer });
    return { $ref: `#/components/responses/${final}` };
  }

  /** Everything that was kept, by name. */
  toComponents(
    headers: Readonly<Record<string, HeaderField>>,
    securitySchemes: Components['securitySchemes'],
  ): Components {
    return {
      schemas: sorted([...this.#schemas].map(([name, { schema }]) => [name, schema])),
      responses: sorted([...this.#responses].map(([name, { answer }]) => [name, answer])),
      headers,
      securitySchemes,
    };
  }

  #compare(id: string, definition: JsonSchema, schema: object | undefined, side: string): void {
    if (schema === undefined) return;
    const [key, raw] = [`${side} ${id}`, JSON.stringify(definition)];
    const first = this.#named.get(key);
    if (first === undefined) this.#named.set(key, { schema, raw, where: this.where });
    else if (first.schema !== schema && first.raw !== raw) this.clashes.push({ id, first: first.where });
  }

  #reserve(wanted: string, schema: JsonSchema, raw: string): string {
    // The names of components are restricted (OpenAPI 3.1.1 section 4.8.7).
    const name = wanted.replace(/[^A-Za-z0-9._-]/g, '_');
    let final = name;
    for (let count = 2; (this.#schemas.get(final)?.raw ?? raw) !== raw; count += 1) final = `${name}${count}`;
    if (!this.#schemas.has(final)) this.#schemas.set(final, { raw, schema });
    return final;
  }
}

function withNames(schema: JsonSchema, names: ReadonlyMap<string, string>): JsonSchema {
  return renamed(schema, names) as JsonSchema;
}

function renamed(node: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(node)) return node.map((one) => renamed(one, names));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key !== '$ref' || typeof value !== 'string' || !value.startsWith(DEFINITIONS)) {
        return [key, renamed(value, names)];
      }
      const name = value.slice(DEFINITIONS.length);
      return [key, SCHEMAS + (names.get(name) ?? name)];
    }),
  );
}

function sorted<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

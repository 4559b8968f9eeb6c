import type { JsonSchema, OpenApiDocument } from '../openapi.ts';
import { alternatives, certain, flattened, typeOf, valuesOf } from './schema-shape.ts';

/** Which way values go: to the gateway, or to the client. */
export type Direction = 'input' | 'output';

/** What of a schema has changed, at a JSON pointer into the value. */
export interface SchemaChange {
  readonly kind: string;
  readonly change: string;
  readonly breaks: boolean;
}

/** Two schemas of two documents. */
export interface SchemaPair {
  readonly before: JsonSchema;
  readonly after: JsonSchema;
  readonly documents: readonly [before: OpenApiDocument, after: OpenApiDocument];
}

/**
 * Compares what may be sent, or what may come. A value that goes in has to be taken as before, so that its schema may only
 * grow wider; one that comes out has to be what clients read before, so that its schema may only grow narrower.
 */
export function schemaChanges(pair: SchemaPair, direction: Direction): readonly SchemaChange[] {
  const { documents } = pair;
  const isInput = direction === 'input';
  return new Comparison(isInput ? documents : [documents[1], documents[0]], isInput).compare(
    isInput ? pair.before : pair.after,
    isInput ? pair.after : pair.before,
    '',
  );
}

const AT_MOST = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'] as const;
const AT_LEAST = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'] as const;
const FORMS = ['pattern', 'format', 'contentEncoding'] as const;

/** Whether all values of one schema are values of another: from whoever sends to whoever reads. */
class Comparison {
  readonly #documents: readonly [sender: OpenApiDocument, reader: OpenApiDocument];
  readonly #isInput: boolean;
  /** Pairs that are under way or done: schemas may hold themselves. */
  readonly #seen = new Set<string>();

  constructor(documents: readonly [OpenApiDocument, OpenApiDocument], isInput: boolean) {
    this.#documents = documents;
    this.#isInput = isInput;
  }

  compare(sent: JsonSchema, read: JsonSchema, at: string): SchemaChange[] {
    if (sent.$ref !== undefined && read.$ref !== undefined) {
      const pair = `${sent.$ref} ${read.$ref}`;
      if (this.#seen.has(pair)) return [];
      this.#seen.add(pair);
    }
    const [sender, reader] = this.#documents;
    const from = alternatives(flattened(sent, sender)).map((one) => flattened(one, sender));
    const to = alternatives(flattened(read, reader)).map((one) => flattened(one, reader));
    if (from.length === 1 && to.length === 1) return this.#one(from[0] ?? {}, to[0] ?? {}, at);
    return from.flatMap((one) => this.#among(one, to, at));
  }

  /** One alternative has to be one of several. */
  #among(one: JsonSchema, several: readonly JsonSchema[], at: string): SchemaChange[] {
    const alike = several.filter((other) => typeOf(other) === undefined || typeOf(other) === typeOf(one));
    const found = alike.map((other) => this.#one(one, other, at));
    const fewest = found.toSorted((a, b) => breaksOf(a) - breaksOf(b) || a.length - b.length)[0];
    return fewest ?? [this.#typeLost(one, at)];
  }

  #one(from: JsonSchema, to: JsonSchema, at: string): SchemaChange[] {
    const [sent, read] = [typeOf(from), typeOf(to)];
    const isNumber = sent === 'integer' && read === 'number';
    if (read !== undefined && sent !== read && !isNumber) return [this.#typeLost(from, at)];
    return [
      ...this.#values(from, to, at),
      ...this.#bounds(from, to, at),
      ...this.#properties(from, to, at),
      ...this.#inner(from, to, at),
    ];
  }

  #values(from: JsonSchema, to: JsonSchema, at: string): SchemaChange[] {
    const [sent, read] = [valuesOf(from), valuesOf(to)];
    if (read === undefined) return [];
    if (sent === undefined)
      return [this.#change('VALUES_NARROWED', at, ['takes only', 'was one of', listed(read)])];
    const lost = sent.filter((value) => !read.includes(value));
    if (lost.length === 0) return [];
    const words = ['takes no longer', 'may also be', listed(lost)] as const;
    // A client that knows a list of values reads others as it sees fit.
    return [
      { ...this.#change(this.#isInput ? 'VALUE_REMOVED' : 'VALUE_ADDED', at, words), breaks: this.#isInput },
    ];
  }

  // What comes out may be larger than before: nobody is told of a bound so as to count on it.
  #bounds(from: JsonSchema, to: JsonSchema, at: string): SchemaChange[] {
    if (!this.#isInput) return [];
    const tighter = (name: string, isTighter: (a: number, b: number) => boolean): SchemaChange[] => {
      const [sent, read] = [from[name], to[name]] as [number | undefined, number | undefined];
      if (read === undefined || (sent !== undefined && !isTighter(sent, read))) return [];
      return [this.#change('LIMIT_NARROWED', at, [`has ${name} ${read}, before ${sent ?? 'none'}`, '', ''])];
    };
    return [
      ...AT_MOST.flatMap((name) => tighter(name, (before, now) => now < before)),
      ...AT_LEAST.flatMap((name) => tighter(name, (before, now) => now > before)),
      ...FORMS.filter((name) => to[name] !== undefined && to[name] !== from[name]).map((name) =>
        this.#change('FORM_NARROWED', at, [`has the ${name} ${String(to[name])}`, '', '']),
      ),
    ];
  }

  #properties(from: JsonSchema, to: JsonSchema, at: string): SchemaChange[] {
    const sent = from.properties ?? {};
    const missing = [...certain(to)].filter((name) => !certain(from).has(name));
    const required = missing.map((name): SchemaChange => {
      const place = `${at}/${name}`;
      if (this.#isInput) return this.#change('PROPERTY_REQUIRED', place, ['is required', '', '']);
      const isGone = sent[name] === undefined;
      const words = isGone ? 'is no longer answered' : 'may be absent';
      return this.#change(isGone ? 'PROPERTY_REMOVED' : 'PROPERTY_OPTIONAL', place, ['', words, '']);
    });
    const told = new Set(missing);
    const gone = Object.keys(this.#isInput ? sent : (to.properties ?? {})).filter(
      (name) => !told.has(name) && (this.#isInput ? to : from).properties?.[name] === undefined,
    );
    const isOpen = (this.#isInput ? to : from).properties === undefined;
    const removed = isOpen
      ? []
      : gone.map((name) =>
          this.#change('PROPERTY_REMOVED', `${at}/${name}`, [
            'is no longer taken',
            'is no longer answered',
            '',
          ]),
        );
    return [...required, ...removed];
  }

  #inner(from: JsonSchema, to: JsonSchema, at: string): SchemaChange[] {
    const [sent, read] = [from.properties ?? {}, to.properties ?? {}];
    const shared = Object.keys(sent).filter((name) => read[name] !== undefined);
    const rest = (
      [
        ['items', '/*'],
        ['additionalProperties', '/{name}'],
      ] as const
    ).flatMap(([name, step]) => {
      const [a, b] = [from[name], to[name]];
      return isSchema(a) && isSchema(b) ? this.compare(a, b, at + step) : [];
    });
    return [
      ...shared.flatMap((name) => this.compare(sent[name] ?? {}, read[name] ?? {}, `${at}/${name}`)),
      ...rest,
    ];
  }

  #typeLost(schema: JsonSchema, at: string): SchemaChange {
    const type = typeOf(schema) ?? 'anything';
    return this.#change('TYPE_CHANGED', at, ['takes no longer', 'may be', type]);
  }

  #change(kind: string, at: string, [input, output, what]: readonly [string, string, string]): SchemaChange {
    const words = [at === '' ? 'it' : at, this.#isInput ? input : output, what];
    return { kind, change: words.filter((word) => word !== '').join(' '), breaks: true };
  }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null;
}

function breaksOf(changes: readonly SchemaChange[]): number {
  return changes.filter(({ breaks }) => breaks).length;
}

function listed(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}

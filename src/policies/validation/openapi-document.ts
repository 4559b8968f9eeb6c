import { parse } from 'yaml';
import { readNamedFile } from '../../config/named-file.ts';
import { pointerPart } from '../../exchange/json-pointer.ts';
import { compileSchema, type CompiledSchema, type SchemaUse } from './schema-compiler.ts';

/** An object of an API description. */
export type Json = Readonly<Record<string, unknown>>;

/** A part of an API description, and where it stands. */
export interface Placed {
  readonly value: Json;
  readonly pointer: string;
}

const JSON_TYPE = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;
const MAX_HOPS = 20;

/** Reads a file of JSON or YAML. @throws {Error} when it cannot be read. */
export function readDocument(file: string): Json {
  try {
    // Whoever reads the fault may not be who may read the file.
    return objectOf(parse(readNamedFile(file).toString(), { prettyErrors: false }));
  } catch (error) {
    throw new Error(`${file}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** The value if it is an object; else an empty one. */
export function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** The value if it is a list; else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What a value leads to by its references. @throws {Error} for one that leads nowhere, or out of the file. */
export function resolved(value: unknown, pointer: string, document: Json): Placed {
  let at: Placed = { value: objectOf(value), pointer };
  for (let hops = 0; typeof at.value['$ref'] === 'string'; hops += 1) {
    const ref = at.value['$ref'];
    // Fails closed: nothing is fetched, and nothing guessed.
    if (!ref.startsWith('#/') || hops > MAX_HOPS)
      throw new Error(`expected a reference within the file, got ${ref}`);
    const path = ref
      .slice(2)
      .split('/')
      .map((one) => decodeURIComponent(one).replaceAll('~1', '/').replaceAll('~0', '~'));
    const found = path.reduce<unknown>((inside, key) => objectOf(inside)[key], document);
    if (found === undefined) throw new Error(`there is no ${ref}`);
    at = { value: objectOf(found), pointer: ref };
  }
  return at;
}

/** The media type of what is JSON of a `content`; undefined for none. */
export function jsonTypeOf({ value }: Placed): string | undefined {
  return Object.keys(objectOf(value['content'])).find((one) => JSON_TYPE.test(one));
}

/** Compiles the schema of what is JSON of a `content`; undefined for none. */
export function jsonSchemaAt(
  placed: Placed,
  use: SchemaUse,
  type = jsonTypeOf(placed),
): CompiledSchema | undefined {
  const content = objectOf(placed.value['content']);
  if (type === undefined || objectOf(content[type])['schema'] === undefined) return undefined;
  return compileSchema({ $ref: fragment(`${placed.pointer}/content/${pointerPart(type)}/schema`) }, use);
}

// A pointer in a URI (RFC 6901 section 6).
function fragment(pointer: string): string {
  return `#${pointer
    .slice(1)
    .split('/')
    .map((one) => encodeURIComponent(decodeURIComponent(one.replaceAll('%', '%25'))))
    .join('/')}`;
}

/** Writes what OpenAPI 3.0 says differently in the words of draft-07. */
export function upgraded(value: Json): Json {
  const edit = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(edit);
    if (typeof one !== 'object' || one === null) return one;
    const copy = Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, edit(inner)]));
    for (const [flag, bound] of [
      ['exclusiveMinimum', 'minimum'],
      ['exclusiveMaximum', 'maximum'],
    ] as const) {
      if (typeof copy[flag] !== 'boolean') continue;
      if (copy[flag] === true && copy[bound] !== undefined) {
        copy[flag] = copy[bound];
        delete copy[bound];
      } else delete copy[flag];
    }
    if (copy['nullable'] === true && copy['type'] === undefined) delete copy['nullable'];
    return copy;
  };
  return edit(value) as Json;
}

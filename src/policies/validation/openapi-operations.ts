import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { compileSchema, escapePointer, type CompiledSchema, type SchemaUse } from './schema-compiler.ts';
import type { Parts } from './request-parts.ts';

/** One operation of an API description, as far as requests and answers can be checked by it. */
export interface Operation {
  readonly parts: Parts;
  readonly names: readonly string[];
  readonly isBodyRequired: boolean;
  /** By status, such as `200`, `2XX` or `default`. */
  readonly answers: ReadonlyMap<string, CompiledSchema>;
}

/** An operation, and the values of its path parameters, as they were written. */
export interface FoundOperation {
  readonly operation: Operation;
  readonly values: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

interface Template {
  readonly segments: readonly (string | undefined)[];
  readonly methods: ReadonlyMap<string, Operation>;
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const PLACES = { query: 'query', path: 'params', header: 'headers' } as const;
const JSON_TYPE = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;
/** Header fields that OpenAPI leaves to others. */
const IGNORED = new Set(['accept', 'content-type', 'authorization']);

/** The operations of an OpenAPI file of version 3.0 or 3.1, in JSON or YAML, all compiled when it is read. */
export class OpenapiOperations {
  readonly #templates: readonly Template[];
  readonly #prefix: string;

  /**
   * @param file path, from where the gateway was started.
   * @param prefix what paths of the gateway have before those of the file.
   * @throws {Error} when it cannot be read, is none, or has a schema that does not compile.
   */
  constructor(file: string, prefix: string) {
    this.#prefix = prefix;
    const document = readDocument(file);
    const version = String(document['openapi']);
    if (!/^3\.[01]\./.test(version)) throw new Error(`${file}: expected \`openapi\` 3.0 or 3.1`);
    const use: SchemaUse = {
      document: version.startsWith('3.0') ? upgraded(document) : document,
      isDraft07: version.startsWith('3.0'),
    };
    this.#templates = Object.entries(objectOf(document['paths']))
      .map(([path, item]) => templateOf(path, objectOf(item), { file, use }))
      // Literal segments come before parameters.
      .sort((a, b) => rankOf(a).localeCompare(rankOf(b)));
  }

  /** The operation of a request; undefined for one that the file does not know. */
  find(method: string, path: string): FoundOperation | undefined {
    if (!path.startsWith(this.#prefix)) return undefined;
    const segments = path.slice(this.#prefix.length).split('/').slice(1);
    for (const template of this.#templates) {
      if (template.segments.length !== segments.length) continue;
      if (
        !template.segments.every((one, at) =>
          one === undefined ? segments[at] !== '' : one === segments[at],
        )
      )
        continue;
      const operation =
        template.methods.get(method) ?? (method === 'HEAD' ? template.methods.get('GET') : undefined);
      if (operation === undefined) continue;
      return { operation, values: segments.filter((_, at) => template.segments[at] === undefined) };
    }
    return undefined;
  }
}

function readDocument(file: string): Json {
  try {
    return objectOf(parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new Error(`${file}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function rankOf({ segments }: Template): string {
  return segments.map((one) => (one === undefined ? '1' : '0')).join('');
}

interface Reading {
  readonly file: string;
  readonly use: SchemaUse;
}

function templateOf(path: string, item: Json, reading: Reading): Template {
  const parts = path.split('/').slice(1);
  const names = parts.flatMap((part) => /^\{(.+)\}$/.exec(part)?.[1] ?? []);
  const methods = new Map<string, Operation>();
  for (const method of METHODS) {
    if (item[method] === undefined) continue;
    const pointer = `#/paths/${escapePointer(path)}/${method}`;
    try {
      methods.set(method.toUpperCase(), operationOf(item, { method, pointer, names }, reading.use));
    } catch (error) {
      throw new Error(`${reading.file}: ${method} ${path}: ${(error as Error).message}`, { cause: error });
    }
  }
  return { segments: parts.map((part) => (/^\{.+\}$/.test(part) ? undefined : part)), methods };
}

function operationOf(
  item: Json,
  {
    method,
    pointer,
    names,
  }: { readonly method: string; readonly pointer: string; readonly names: readonly string[] },
  use: SchemaUse,
): Operation {
  const document = use.document as Json;
  const operation = objectOf(item[method]);
  const body = resolved(operation['requestBody'], `${pointer}/requestBody`, document);
  const bodySchema = jsonSchemaAt(body, use);
  const answers = new Map<string, CompiledSchema>();
  for (const status of Object.keys(objectOf(operation['responses']))) {
    const at = `${pointer}/responses/${escapePointer(status)}`;
    const schema = jsonSchemaAt(resolved(objectOf(operation['responses'])[status], at, document), use);
    if (schema !== undefined) answers.set(status.toUpperCase(), schema);
  }
  const parts = {
    ...parametersOf(item, operation, use),
    ...(bodySchema === undefined ? {} : { body: bodySchema }),
  };
  return { parts, names, isBodyRequired: body.value['required'] === true, answers };
}

interface Placed {
  readonly value: Json;
  readonly pointer: string;
}

function resolved(value: unknown, pointer: string, document: Json): Placed {
  let at: Placed = { value: objectOf(value), pointer };
  for (let hops = 0; typeof at.value['$ref'] === 'string'; hops += 1) {
    const ref = at.value['$ref'];
    // Fails closed: nothing is fetched, and nothing guessed.
    if (!ref.startsWith('#/') || hops > 20)
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

function jsonSchemaAt({ value, pointer }: Placed, use: SchemaUse): CompiledSchema | undefined {
  const content = objectOf(value['content']);
  const type = Object.keys(content).find((one) => JSON_TYPE.test(one));
  if (type === undefined || objectOf(content[type])['schema'] === undefined) return undefined;
  return compileSchema({ $ref: fragment(`${pointer}/content/${escapePointer(type)}/schema`) }, use);
}

// A pointer in a URI (RFC 6901 section 6).
function fragment(pointer: string): string {
  return `#${pointer
    .slice(1)
    .split('/')
    .map((one) => encodeURIComponent(decodeURIComponent(one.replaceAll('%', '%25'))))
    .join('/')}`;
}

function parametersOf(item: Json, operation: Json, use: SchemaUse): Parts {
  const document = use.document as Json;
  const named = new Map<
    string,
    { readonly place: keyof typeof PLACES; readonly name: string; readonly value: Json }
  >();
  for (const one of [...listOf(item['parameters']), ...listOf(operation['parameters'])]) {
    const { value } = resolved(one, '#', document);
    const place = value['in'] as keyof typeof PLACES;
    const name = place === 'header' ? String(value['name']).toLowerCase() : String(value['name']);
    if (!(place in PLACES) || (place === 'header' && IGNORED.has(name))) continue;
    named.set(`${place} ${name}`, { place, name, value });
  }
  const parts: Record<string, CompiledSchema> = {};
  for (const [place, key] of Object.entries(PLACES)) {
    const of = [...named.values()].filter((one) => one.place === place);
    if (of.length > 0) parts[key] = parameterSchema(of, use);
  }
  return parts;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

// Only what is written plainly: other styles, and parameters of whole objects, have to be there and are not looked into.
function parameterSchema(
  of: readonly { readonly name: string; readonly value: Json }[],
  use: SchemaUse,
): CompiledSchema {
  const properties = Object.fromEntries(
    of.map(({ name, value }) => {
      const isPlain =
        value['style'] === undefined && value['explode'] !== false && value['content'] === undefined;
      return [name, isPlain && value['schema'] !== undefined ? value['schema'] : {}];
    }),
  );
  const required = of.filter(({ value }) => value['required'] === true).map(({ name }) => name);
  const schema = { type: 'object', properties, required };
  const document = { ...(use.document as Json), 'x-gatehouse-parameters': schema };
  return compileSchema({ $ref: '#/x-gatehouse-parameters' }, { ...use, document, coerces: true });
}

/** Writes what OpenAPI 3.0 says differently in the words of draft-07. */
function upgraded(value: Json): Json {
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

import { comesInLines } from '../../exchange/line-type.ts';
import { pointerPart } from '../../exchange/json-pointer.ts';
import { jsonSchemaAt, objectOf, readDocument, resolved, upgraded, type Json } from './openapi-document.ts';
import { parametersOf, type PlacedParameters } from './openapi-parameters.ts';
import type { CompiledSchema, SchemaUse } from './schema-compiler.ts';

/** One operation of an API description, as far as requests and answers can be checked by it. */
export interface Operation {
  readonly parameters: readonly PlacedParameters[];
  readonly body: CompiledSchema | undefined;
  /** Of each message of a body that comes line by line. */
  readonly line: CompiledSchema | undefined;
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

interface Template {
  readonly segments: readonly (string | undefined)[];
  readonly methods: ReadonlyMap<string, Operation>;
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

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

  /** Whether one of them looks at bodies of requests. */
  get haveBodies(): boolean {
    return this.#some(({ body }) => body !== undefined);
  }

  /** Whether one of them looks at messages that come line by line. */
  get haveLines(): boolean {
    return this.#some(({ line }) => line !== undefined);
  }

  #some(is: (operation: Operation) => boolean): boolean {
    return this.#templates.some(({ methods }) => [...methods.values()].some(is));
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
    const pointer = `#/paths/${pointerPart(path)}/${method}`;
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
  const lineType = Object.keys(objectOf(body.value['content'])).find(comesInLines);
  // Fails closed: an operation that says nothing of lines says what a value has to be.
  const line = lineType === undefined ? bodySchema : jsonSchemaAt(body, use, lineType);
  const answers = new Map<string, CompiledSchema>();
  for (const status of Object.keys(objectOf(operation['responses']))) {
    const at = `${pointer}/responses/${pointerPart(status)}`;
    const schema = jsonSchemaAt(resolved(objectOf(operation['responses'])[status], at, document), use);
    if (schema !== undefined) answers.set(status.toUpperCase(), schema);
  }
  const parameters = parametersOf(
    { value: item, pointer: pointer.slice(0, pointer.lastIndexOf('/')) },
    { value: operation, pointer },
    use,
  );
  const isBodyRequired = body.value['required'] === true;
  return { parameters, body: bodySchema, line, names, isBodyRequired, answers };
}

import type { Answer, JsonSchema, OpenApiDocument, Operation, Reference } from '../openapi.ts';
import { OPERATION_METHODS } from '../openapi.ts';
import { isAnything, wholeName } from './document-types.ts';
import { key } from './type-names.ts';

/** One operation of the document. */
export interface ClientOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const JSON_TYPE = 'application/json';
/** Of what says why it ends before what just ends. */
const STREAMS = ['text/event-stream', 'application/x-ndjson'] as const;

/** The operations of a document, in its order. */
export function clientOperations({ paths }: OpenApiDocument): readonly ClientOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    OPERATION_METHODS.flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      return [{ id: operation.operationId, method: method.toUpperCase(), path, operation }];
    }),
  );
}

/** Writes how an operation is sent and read. */
export function writePlan(
  { id, method, path, operation }: ClientOperation,
  document: OpenApiDocument,
): string {
  const { parameters = [], requestBody, security } = operation;
  const bodyType = Object.keys(requestBody?.content ?? {})[0];
  const plan = {
    method,
    path,
    schemes: security.map(schemesSent).filter(({ length }) => length > 0),
    answer: goodAnswer(operation, document).kind,
    stream: goodAnswer(operation, document).stream,
    bodyType: bodyType === '*/*' ? undefined : bodyType,
    rest: parameters.find((one) => one['x-gatehouse-rest'])?.name,
    commas: listOf(parameters.filter((one) => one.explode === false).map(({ name }) => name)),
  };
  return `  ${key(id)}: ${JSON.stringify(plan)},\n`;
}

/** Writes what is known of an operation in types. */
export function writeFacts(
  { id, method, path, operation }: ClientOperation,
  document: OpenApiDocument,
  views: ReadonlySet<string>,
): string {
  const own = `operations[${JSON.stringify(id)}]`;
  const { kind, status, schema, stream } = goodAnswer(operation, document);
  const content = `${own}["responses"][${status}]["content"]`;
  const whole = schema === undefined ? undefined : wholeType(schema, views);
  const facts = [
    `method: ${JSON.stringify(method)}`,
    `path: ${JSON.stringify(path)}`,
    `operation: ${own}`,
    `data: ${kind === 'json' ? `${content}["application/json"]` : kind === 'nothing' ? 'undefined' : 'Response'}`,
    ...(whole === undefined ? [] : [`whole: ${whole}`]),
    `problems: ${
      problemCodes(operation, document)
        .map((code) => JSON.stringify(code))
        .join(' | ') || 'never'
    }`,
    ...(stream === undefined
      ? []
      : [`record: Exclude<${content}[${JSON.stringify(stream)}], { readonly problem: unknown }>`]),
    ...(operation.parameters?.some(isAnything) === true ? ['anyQuery: true'] : []),
  ];
  return `  readonly ${key(id)}: {\n${facts.map((fact) => `    readonly ${fact};\n`).join('')}  };\n`;
}

/** The codes that an operation may end with, sorted. */
export function problemCodes({ responses }: Operation, document: OpenApiDocument): readonly string[] {
  const codes = Object.values(responses).flatMap((one) => resolved(one, document)['x-gatehouse-codes'] ?? []);
  return [...new Set(codes)].sort();
}

interface GoodAnswer {
  readonly kind: 'json' | 'nothing' | 'response';
  readonly status: string;
  readonly schema?: JsonSchema | undefined;
  readonly stream?: string | undefined;
}

function goodAnswer({ responses }: Operation, document: OpenApiDocument): GoodAnswer {
  const [status, good] = Object.entries(responses).find(([one]) => /^2\d\d$/.test(one)) ?? [];
  if (status === undefined || good === undefined) return { kind: 'response', status: 'never' };
  const { content } = resolved(good, document);
  if (content === undefined) return { kind: 'nothing', status };
  const stream = STREAMS.find((type) => content[type]?.schema !== undefined);
  const schema = content[JSON_TYPE]?.schema;
  return { kind: content[JSON_TYPE] === undefined ? 'response' : 'json', status, schema, stream };
}

function wholeType(schema: JsonSchema, views: ReadonlySet<string>): string | undefined {
  const names = (schema.anyOf ?? [schema]).map((one) => wholeName(one, views));
  if (names.some((name) => name === undefined)) return undefined;
  return names.map((name) => `components["schemas"][${JSON.stringify(name)}]`).join(' | ');
}

function resolved(answer: Answer | Reference, document: OpenApiDocument): Answer {
  if (!('$ref' in answer)) return answer;
  return document.components.responses[answer.$ref.split('/').at(-1) ?? ''] ?? { description: '' };
}

function listOf(names: readonly string[]): readonly string[] | undefined {
  return names.length === 0 ? undefined : names;
}

/** What a client sends by itself; sessions and certificates come with the browser and the connection. */
function schemesSent(requirement: Readonly<Record<string, unknown>>): readonly string[] {
  return ['jwt', 'introspection', 'apiKey'].filter((scheme) => scheme in requirement);
}

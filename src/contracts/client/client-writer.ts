import { readAsset } from '../asset-file.ts';
import type { JsonSchema, OpenApiDocument } from '../openapi.ts';
import { clientOperations, problemCodes, writeOperation, type ClientOperation } from './client-operation.ts';
import { comment, key, pascalCase, TypeWriter } from './typescript-types.ts';

/** Names of the file itself, and of the platform as far as the file uses them. */
const GLOBALS = [
  'AbortSignal',
  'Array',
  'Error',
  'Headers',
  'JSON',
  'NonNullable',
  'Number',
  'Object',
  'Partial',
  'Pick',
  'Promise',
  'ReadableStream',
  'Readonly',
  'Record',
  'RequestInit',
  'Response',
  'String',
  'TypeError',
  'URLSearchParams',
  'Client',
  'OperationProblems',
  'ProblemError',
  'ProblemErrorOn',
];

/**
 * Writes a client in one file of TypeScript, which needs nothing but `fetch` and reads the same in browsers,
 * Node, Deno and Bun: only types to be erased, no import.
 */
export function writeClient(document: OpenApiDocument): string {
  const runtime = readAsset('client/runtime.ts');
  const names = componentNames(document, runtime);
  const types = new TypeWriter(names);
  const operations = clientOperations(document);
  return [
    headOf(document),
    runtime.replace("'x-api-key'", JSON.stringify(keyFieldOf(document))),
    problemTypes(operations, document, names.get('ProblemCode') ?? 'string'),
    ...Object.entries(document.components.schemas).map(([name, schema]) =>
      component(names.get(name) ?? name, schema, types),
    ),
    clientFunction(operations, document, types),
  ].join('\n');
}

function headOf({ info: { title, version } }: OpenApiDocument): string {
  const text = `${title}, version ${version}. Made by \`gatehouse client --ts\`; changes are lost when it is made again.`;
  return `// ${text.replace(/[\r\n\u2028\u2029]+/g, ' ')}\n`;
}

function keyFieldOf({ components }: OpenApiDocument): string {
  return components.securitySchemes['apiKey']?.['name']?.toLowerCase() ?? 'x-api-key';
}

function componentNames(document: OpenApiDocument, runtime: string): ReadonlyMap<string, string> {
  const own = [...runtime.matchAll(/^(?:export )?(?:class|interface|type) (\w+)/gm)].map(
    ([, name]) => name ?? '',
  );
  const taken = new Set([...GLOBALS, ...own]);
  const names = new Map<string, string>();
  for (const name of Object.keys(document.components.schemas)) {
    const wanted = pascalCase(name);
    let final = taken.has(wanted) ? `${wanted}Body` : wanted;
    for (let count = 2; taken.has(final); count += 1) final = `${wanted}${count}`;
    taken.add(final);
    names.set(name, final);
  }
  return names;
}

function component(name: string, schema: JsonSchema, types: TypeWriter): string {
  const about = comment(schema.description, '');
  const isObject =
    schema.properties !== undefined && schema.allOf === undefined && schema.anyOf === undefined;
  return isObject
    ? `${about}export interface ${name} ${types.members(schema, '')}\n`
    : `${about}export type ${name} = ${types.type(schema)};\n`;
}

function problemTypes(
  operations: readonly ClientOperation[],
  document: OpenApiDocument,
  every: string,
): string {
  const perOperation = operations.map(({ operation }) => ({
    id: operation.operationId,
    codes: problemCodes(operation, document),
  }));
  const union = (codes: readonly string[]): string =>
    codes.map((code) => JSON.stringify(code)).join(' | ') || 'never';
  return `/** The problems that each operation may end with, by its id. */
export interface OperationProblems {
${perOperation.map(({ id, codes }) => `  readonly ${key(id)}: ${union(codes)};\n`).join('')}}

/** A problem; \`switch\` over its \`code\`. */
export type ProblemError = { [Code in ${every}]: ProblemErrorOf<Code> }[${every}];

/** A problem that one operation may end with. */
export type ProblemErrorOn<Id extends keyof OperationProblems> = {
  [Code in OperationProblems[Id]]: ProblemErrorOf<Code>;
}[OperationProblems[Id]];

/** Whether something that was thrown is a problem, of these codes if there are any. A newer gateway may have more. */
export function isProblem<Code extends ${every} = ${every}>(
  error: unknown,
  ...codes: readonly Code[]
): error is { [One in Code]: ProblemErrorOf<One> }[Code] {
  return error instanceof ProblemErrorOf && (codes.length === 0 || codes.some((code) => code === error.code));
}
`;
}

function clientFunction(
  operations: readonly ClientOperation[],
  document: OpenApiDocument,
  types: TypeWriter,
): string {
  const groups = Map.groupBy(operations, ({ group }) => group);
  const members = [...groups].map(([group, its]) => {
    const methods = its.map((one) => writeOperation(one, document, types)).join('');
    return `    ${key(group)}: {\n${methods}    },\n`;
  });
  return `/** A client of the gateway. */
export type Client = ReturnType<typeof createClient>;

/** Makes a client. It never tries again by itself: \`retryAfterSeconds\` of a problem says when it makes sense. */
export function createClient(client: ClientOptions) {
  return {
${members.join('')}  };
}
`;
}

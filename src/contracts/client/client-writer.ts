import { readAsset } from '../asset-file.ts';
import type { OpenApiDocument } from '../openapi.ts';
import { clientOperations, writeFacts, writePlan } from './client-operation.ts';
import { documentTypes, viewNames } from './document-types.ts';
import { pascalCase } from './type-names.ts';

/** The files of the runtime, each after those that it uses. */
const RUNTIME = [
  'client-options',
  'answers',
  'plan',
  'operation-types',
  'requests',
  'reading',
  'streams',
  'gateway-client',
];

/** Names of the file itself, and of the platform as far as the file uses them. */
const TAKEN = [
  'AbortSignal Array AsyncGenerator AsyncIterable Error Exclude Extract Headers Iterable JSON',
  'Map Middleware NonNullable Object Partial Pick Promise ReadableStream Readonly Record',
  'Request RequestInit Response String Symbol TextDecoder TextEncoder TypeError',
  'URLSearchParams WeakMap Client Operations PLANS ProblemError ProblemErrorOn',
]
  .join(' ')
  .split(' ');

/**
 * Writes a client in one file of TypeScript: the types of openapi-typescript, and what sends with openapi-fetch, the one
 * package that whoever has the file needs. It reads the same in browsers, Node, Deno and Bun: only types to be erased.
 *
 * @throws {Error} when openapi-typescript is not there, or cannot read the document.
 */
export async function writeClient(document: OpenApiDocument): Promise<string> {
  const runtime = RUNTIME.map(readPart).join('\n');
  const operations = clientOperations(document);
  const views = viewNames(document);
  return [
    headOf(document),
    "import createFetchClient, { type Middleware } from 'openapi-fetch';\n",
    await documentTypes(document),
    aliases(document, runtime),
    runtime.replace("'x-api-key'", JSON.stringify(keyFieldOf(document))),
    '/** What is known of each operation, by its id. */',
    `export interface Operations {\n${operations.map((one) => writeFacts(one, document, views)).join('')}}\n`,
    `const PLANS: Readonly<Record<keyof Operations, Plan>> = {\n${operations.map((one) => writePlan(one, document)).join('')}};\n`,
    tailOf('ProblemCode' in document.components.schemas),
  ].join('\n');
}

// In one file there is nothing to import, and what only its parts know of each other is nobody else's.
function readPart(name: string): string {
  return readAsset(`client/runtime/${name}.ts`)
    .replace(/^import [^;]*;\n/gm, '')
    .replace(/^\/\*\* @internal \*\/\nexport /gm, '')
    .replace(/^\/\*\* @internal ([^\n]*\*\/)\nexport /gm, '/** $1\n')
    .trimStart();
}

function headOf({ info: { title, version } }: OpenApiDocument): string {
  const text = `${title}, version ${version}. Made by \`gatehouse client --ts\`; changes are lost when it is made again.`;
  return `// ${text.replace(/[\r\n\u2028\u2029]+/g, ' ')}`;
}

function keyFieldOf({ components }: OpenApiDocument): string {
  return components.securitySchemes['apiKey']?.['name']?.toLowerCase() ?? 'x-api-key';
}

/** Short names for the schemas that have one. */
function aliases(document: OpenApiDocument, runtime: string): string {
  const own = [...runtime.matchAll(/^(?:export )?(?:class|interface|type) (\w+)/gm)].map(
    ([, name]) => name ?? '',
  );
  const taken = new Set([...TAKEN, ...own]);
  const lines = Object.keys(document.components.schemas).map((name) => {
    const wanted = pascalCase(name);
    let final = taken.has(wanted) ? `${wanted}Body` : wanted;
    for (let count = 2; taken.has(final); count += 1) final = `${wanted}${count}`;
    taken.add(final);
    return `export type ${final} = components["schemas"][${JSON.stringify(name)}];\n`;
  });
  return lines.join('');
}

function tailOf(hasCodes: boolean): string {
  const every = hasCodes ? 'components["schemas"]["ProblemCode"]' : 'string';
  return `type EveryCode = ${every};

/** A problem; \`switch\` over its \`code\`. */
export type ProblemError = { [Code in EveryCode]: ProblemErrorOf<Code> }[EveryCode];

/** A problem that one operation may end with. */
export type ProblemErrorOn<Id extends keyof Operations> = {
  [Code in Operations[Id]["problems"]]: ProblemErrorOf<Code>;
}[Operations[Id]["problems"]];

/** Whether something that was thrown is a problem, of these codes if there are any. A newer gateway may have more. */
export function isProblem<Code extends EveryCode = EveryCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is { [One in Code]: ProblemErrorOf<One> }[Code] {
  return error instanceof ProblemErrorOf && (codes.length === 0 || codes.some((code) => code === error.code));
}

/** A client of the gateway. */
export type Client = GatewayClient<Operations>;

/** Makes a client. */
export function createClient(options: ClientOptions): Client {
  return gatewayClient<Operations>(PLANS, options);
}
`;
}

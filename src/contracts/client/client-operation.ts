import type { Answer, OpenApiDocument, Operation, Parameter, Reference } from '../openapi.ts';
import { OPERATION_METHODS } from '../openapi.ts';
import { camelCase, comment, key, type TypeWriter } from './typescript-types.ts';

/** One operation of the document, with what its method in the client is called. */
export interface ClientOperation {
  readonly group: string;
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const JSON_TYPE = 'application/json';

/** Names the operations: by tag, and by what the id says besides the tag. No two have one name. */
export function clientOperations(document: OpenApiDocument): readonly ClientOperation[] {
  const taken = new Set<string>();
  return Object.entries(document.paths).flatMap(([path, item]) =>
    OPERATION_METHODS.flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      const tag = operation.tags[0] ?? 'api';
      const group = camelCase(tag);
      const id = operation.operationId;
      const wanted = camelCase(id.startsWith(`${tag}.`) ? id.slice(tag.length + 1) : id);
      let name = wanted;
      for (let count = 2; taken.has(`${group}.${name}`); count += 1) name = `${wanted}${count}`;
      taken.add(`${group}.${name}`);
      return [{ group, name, method: method.toUpperCase(), path, operation }];
    }),
  );
}

/** Writes the method of an operation. */
export function writeOperation(one: ClientOperation, document: OpenApiDocument, types: TypeWriter): string {
  const { operation, method, path, name } = one;
  const answer = answerOf(operation, document);
  const input = inputOf(operation, types);
  const plan = [
    `id: ${JSON.stringify(operation.operationId)}`,
    `method: ${JSON.stringify(method)}`,
    `path: ${JSON.stringify(path)}`,
    `schemes: ${JSON.stringify(operation.security.map(schemesSent).filter(({ length }) => length > 0))}`,
    `answer: ${JSON.stringify(answer.kind)}`,
    ...planOf(operation),
  ].join(', ');
  const data =
    answer.kind === 'json'
      ? types.type(answer.schema, '      ')
      : answer.kind === 'nothing'
        ? 'undefined'
        : 'Response';
  const request = `request: ${input.type}${input.isOptional ? ' = {}' : ''}`;
  return (
    comment(docOf(one), '      ') +
    `      ${key(name)}: (${request}, options: CallOptions = {}): Promise<Answered<${data}>> =>\n` +
    `        send(client, { ${plan} }, request, options),\n`
  );
}

/** The codes that an operation may end with, sorted. */
export function problemCodes({ responses }: Operation, document: OpenApiDocument): readonly string[] {
  const codes = Object.values(responses).flatMap((one) => resolved(one, document)['x-gatehouse-codes'] ?? []);
  return [...new Set(codes)].sort();
}

function docOf({ operation, method, path }: ClientOperation): string {
  const { summary, description, deprecated } = operation;
  const lines = [
    summary,
    description,
    `\`${method} ${path}\``,
    deprecated === true ? '@deprecated' : undefined,
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}

function planOf({ parameters = [], requestBody }: Operation): string[] {
  const rest = parameters.find((one) => one['x-gatehouse-rest'])?.name;
  const commas = parameters.filter((one) => one.explode === false).map(({ name }) => name);
  const bodyType = Object.keys(requestBody?.content ?? {})[0];
  return [
    ...(bodyType === undefined || bodyType === '*/*' ? [] : [`bodyType: ${JSON.stringify(bodyType)}`]),
    ...(rest === undefined ? [] : [`rest: ${JSON.stringify(rest)}`]),
    ...(commas.length === 0 ? [] : [`commas: ${JSON.stringify(commas)}`]),
  ];
}

interface ClientAnswer {
  readonly kind: 'json' | 'nothing' | 'response';
  readonly schema?: Parameter['schema'] | undefined;
}

function answerOf({ responses }: Operation, document: OpenApiDocument): ClientAnswer {
  const good = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1];
  if (good === undefined) return { kind: 'response' };
  const { content } = resolved(good, document);
  if (content === undefined) return { kind: 'nothing' };
  const json = content[JSON_TYPE];
  return json === undefined ? { kind: 'response' } : { kind: 'json', schema: json.schema };
}

function resolved(answer: Answer | Reference, document: OpenApiDocument): Answer {
  if (!('$ref' in answer)) return answer;
  return document.components.responses[answer.$ref.split('/').at(-1) ?? ''] ?? { description: '' };
}

function inputOf(
  operation: Operation,
  types: TypeWriter,
): { readonly type: string; readonly isOptional: boolean } {
  const { parameters = [], requestBody } = operation;
  const parts: { readonly name: string; readonly type: string; readonly isRequired: boolean }[] = [];
  for (const [name, place] of [
    ['path', 'path'],
    ['query', 'query'],
    ['headers', 'header'],
  ] as const) {
    const its = parameters.filter((one) => one.in === place);
    if (its.length > 0)
      parts.push({ name, type: placeType(its, types), isRequired: its.some((one) => one.required) });
  }
  if (requestBody !== undefined) {
    parts.push({
      name: 'body',
      type: bodyType(requestBody.content, types),
      isRequired: requestBody.required === true,
    });
  }
  const members = parts.map(
    ({ name, type, isRequired }) =>
      `readonly ${name}${isRequired ? '' : '?'}: ${type}${isRequired ? '' : ' | undefined'}`,
  );
  return {
    type: members.length === 0 ? 'Readonly<Record<string, never>>' : `{ ${members.join('; ')} }`,
    isOptional: parts.every((part) => !part.isRequired),
  };
}

function placeType(parameters: readonly Parameter[], types: TypeWriter): string {
  // One parameter that stands for all that there may be.
  const free = parameters.find(({ schema, explode }) => explode === true && schema.type === 'object');
  if (free !== undefined) {
    return 'Readonly<Record<string, string | number | boolean | readonly (string | number | boolean)[] | undefined>>';
  }
  const properties = Object.fromEntries(
    parameters.map(({ name, schema, description }) => [
      name,
      description === undefined || '$ref' in schema ? schema : { ...schema, description },
    ]),
  );
  const required = parameters.filter((one) => one.required).map(({ name }) => name);
  return types.members({ type: 'object', properties, required }, '      ');
}

function bodyType(content: NonNullable<Operation['requestBody']>['content'], types: TypeWriter): string {
  const json = content[JSON_TYPE];
  return json === undefined ? "NonNullable<RequestInit['body']>" : types.type(json.schema, '      ');
}

/** What a client sends by itself; sessions and certificates come with the browser and the connection. */
function schemesSent(requirement: Readonly<Record<string, unknown>>): readonly string[] {
  return ['jwt', 'apiKey'].filter((scheme) => scheme in requirement);
}

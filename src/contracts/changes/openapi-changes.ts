import type { Answer, OpenApiDocument, Operation, Parameter, Reference, RequestBody } from '../openapi.ts';
import { OPERATION_METHODS } from '../openapi.ts';
import type { ContractChange } from './contract-change.ts';
import { schemaChanges, type Direction } from './schema-changes.ts';

type Documents = readonly [before: OpenApiDocument, after: OpenApiDocument];
type Found = Omit<ContractChange, 'contract' | 'place'>;

/** One operation, where its URL is: names of parameters of the path are not sent. */
interface Placed {
  readonly place: string;
  readonly operation: Operation;
}

/** What has changed for clients from one OpenAPI document of a gateway to the next. */
export function openapiChanges(documents: Documents): readonly ContractChange[] {
  const [before, after] = documents.map(placed) as [Map<string, Placed>, Map<string, Placed>];
  return [...before].flatMap(([shape, { place, operation }]) => {
    const now = after.get(shape)?.operation;
    const found = now === undefined ? [removed()] : operationChanges([operation, now], documents);
    return found.map((one): ContractChange => ({ contract: 'openapi', place, ...one }));
  });
}

function placed({ paths }: OpenApiDocument): Map<string, Placed> {
  return new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      OPERATION_METHODS.flatMap((method): [string, Placed][] => {
        const operation = item[method];
        const place = `${method.toUpperCase()} ${path}`;
        return operation === undefined ? [] : [[place.replace(/\{[^}]*\}/g, '{}'), { place, operation }]];
      }),
    ),
  );
}

function removed(): Found {
  return { kind: 'OPERATION_REMOVED', change: 'is no longer there', breaks: true };
}

function operationChanges([before, after]: readonly [Operation, Operation], documents: Documents): Found[] {
  return [
    ...(before.operationId === after.operationId
      ? []
      : [said('OPERATION_RENAMED', `is called ${after.operationId}, before ${before.operationId}`, false)]),
    ...parameterChanges([before.parameters ?? [], after.parameters ?? []], documents),
    ...bodyChanges([before.requestBody, after.requestBody], documents),
    ...answerChanges([before, after], documents),
    ...accessChanges([before, after]),
  ];
}

function parameterChanges(
  [before, after]: readonly [readonly Parameter[], readonly Parameter[]],
  documents: Documents,
): Found[] {
  const [old, now] = [byKey(before), byKey(after)];
  const known = [...old].flatMap(([key, one]): Found[] => {
    const other = now.get(key);
    const called = nameOf(one);
    if (other === undefined) return [said('PARAMETER_REMOVED', `${called} is no longer taken`, true)];
    const named =
      one.name.toLowerCase() === other.name.toLowerCase()
        ? []
        : [said('PARAMETER_RENAMED', `${called} is called ${other.name}`, false)];
    const asked =
      other.required === true && one.required !== true
        ? [said('PARAMETER_REQUIRED', `${called} is required`, true)]
        : [];
    return [...named, ...asked, ...schemas([one.schema, other.schema], documents, 'input', called)];
  });
  const added = [...now].flatMap(([key, one]) =>
    old.has(key) || one.required !== true
      ? []
      : [said('PARAMETER_REQUIRED', `${nameOf(one)} is new and required`, true)],
  );
  return [...known, ...added];
}

/** Those of the path by their order, header fields whatever their case. */
function byKey(parameters: readonly Parameter[]): Map<string, Parameter> {
  const inPath = parameters.filter((one) => one.in === 'path');
  return new Map(
    parameters.map((one) => [
      one.in === 'path'
        ? `path ${inPath.indexOf(one)}`
        : `${one.in} ${one.in === 'header' ? one.name.toLowerCase() : one.name}`,
      one,
    ]),
  );
}

function nameOf({ in: place, name }: Parameter): string {
  return `${place} ${name}`;
}

function bodyChanges(
  [before, after]: readonly [RequestBody | undefined, RequestBody | undefined],
  documents: Documents,
): Found[] {
  if (before === undefined)
    return after?.required === true ? [said('BODY_REQUIRED', 'a body is new and required', true)] : [];
  if (after === undefined) return [said('BODY_REMOVED', 'no body is taken any more', true)];
  return [
    ...(after.required === true && before.required !== true
      ? [said('BODY_REQUIRED', 'a body is required', true)]
      : []),
    ...mediaChanges([before.content, after.content], documents, 'input', 'body'),
  ];
}

type Content = NonNullable<Answer['content']>;

function mediaChanges(
  [before, after]: readonly [Content, Content],
  documents: Documents,
  direction: Direction,
  called: string,
): Found[] {
  return Object.entries(before).flatMap(([type, { schema = {} }]) => {
    const other = after[type];
    if (other === undefined) return [said('MEDIA_TYPE_REMOVED', `${called} as ${type} is gone`, true)];
    const name = type === 'application/json' ? called : `${called} (${type})`;
    return schemas([schema, other.schema ?? {}], documents, direction, name);
  });
}

function answerChanges([before, after]: readonly [Operation, Operation], documents: Documents): Found[] {
  const [old, now] = [answersOf(before, documents[0]), answersOf(after, documents[1])];
  const codes = new Set([...old.values()].flatMap((one) => one['x-gatehouse-codes'] ?? []));
  const known = [...old].flatMap(([status, one]): Found[] => {
    const other = now.get(status);
    // What no longer goes wrong breaks nobody.
    if (other === undefined)
      return isGood(status) ? [said('STATUS_REMOVED', `${status} is no longer answered`, true)] : [];
    if (!isGood(status)) return [];
    const fields = Object.keys(one.headers ?? {}).filter((name) => other.headers?.[name] === undefined);
    return [
      ...mediaChanges([one.content ?? {}, other.content ?? {}], documents, 'output', status),
      ...fields.map((name) => said('HEADER_REMOVED', `${status} is answered without ${name}`, false)),
    ];
  });
  const added = [...now].flatMap(([status, one]): Found[] => {
    const fresh = (one['x-gatehouse-codes'] ?? []).filter((code) => !codes.has(code));
    if (fresh.length > 0)
      return [said('PROBLEM_ADDED', `may end with ${fresh.join(', ')} (${status})`, false)];
    return isGood(status) && !old.has(status) ? [said('STATUS_ADDED', `may answer ${status}`, false)] : [];
  });
  return [...known, ...added];
}

function answersOf({ responses }: Operation, { components }: OpenApiDocument): Map<string, Answer> {
  const resolved = (one: Answer | Reference): Answer =>
    '$ref' in one ? (components.responses[one.$ref.split('/').at(-1) ?? ''] ?? { description: '' }) : one;
  return new Map(Object.entries(responses).map(([status, one]) => [status, resolved(one)]));
}

function isGood(status: string): boolean {
  return !/^[45]/.test(status) && status !== 'default';
}

function accessChanges([before, after]: readonly [Operation, Operation]): Found[] {
  const [old, now] = [ways(before), ways(after)];
  const lost = [...old].filter((way) => !now.has(way) && !now.has(''));
  const [bytes, most] = [before, after].map((one) => one['x-gatehouse-limits']?.bodyBytes ?? Infinity);
  const [who, whoNow] = [before, after].map((one) => JSON.stringify(one['x-gatehouse-authorization'] ?? {}));
  return [
    ...lost.map((way) =>
      way === ''
        ? said('CREDENTIALS_REQUIRED', `asks for ${[...now].join(' or ')}`, true)
        : said('CREDENTIALS_NARROWED', `takes ${way} no longer`, true),
    ),
    ...(who === whoNow ? [] : [said('AUTHORIZATION_CHANGED', `asks for ${whoNow}, before ${who}`, false)]),
    ...((most ?? Infinity) < (bytes ?? Infinity)
      ? [said('BODY_LIMIT_LOWERED', `takes bodies up to ${most} bytes, before ${bytes}`, false)]
      : []),
  ];
}

/** The ways to be let in; an empty one is for everybody. */
function ways({ security }: Operation): ReadonlySet<string> {
  return new Set(
    security.length === 0 ? [''] : security.map((one) => Object.keys(one).sort().join(' with ')),
  );
}

function schemas(
  [before, after]: readonly [Parameter['schema'], Parameter['schema']],
  documents: Documents,
  direction: Direction,
  called: string,
): Found[] {
  return schemaChanges({ before, after, documents }, direction).map((one) => ({
    ...one,
    change: `${called}: ${one.change}`,
  }));
}

function said(kind: string, change: string, breaks: boolean): Found {
  return { kind, change, breaks };
}

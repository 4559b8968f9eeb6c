import { policyList } from '../policies/order.ts';
import type { Condition } from '../routing/conditions.ts';
import type { Tiers } from '../policies/rate-limit/tiers.schema.ts';
import type { Route, ValueMatch } from '../routing/route.ts';
import type { ComponentStore } from './components.ts';
import { deprecationOf, sentenceOf } from './deprecation.ts';
import { limitsOf } from './limits.ts';
import type {
  Answer,
  JsonSchema,
  Operation,
  OperationMethod,
  Parameter,
  RouteVariant,
  Server,
} from './openapi.ts';
import type { OperationContract } from './operation-contract.ts';
import type { OperationPath } from './operation-path.ts';
import { fieldRefs, stageFields, problemAnswers, stageProblems } from './problem-answers.ts';
import { securityOf, type CredentialPlaces } from './security.ts';

/** Where an operation stands in the document. */
export interface OperationPlace {
  readonly id: string;
  readonly tag: string;
  readonly route: Route;
  readonly path: OperationPath;
  readonly method: OperationMethod;
  readonly variants: readonly RouteVariant[];
  /** Whether one of the routes at this place is not deprecated. */
  readonly stays: boolean;
  readonly floodLimited: boolean;
  /** The tiers of service of the file. */
  readonly tiers?: Tiers | undefined;
  readonly places?: CredentialPlaces | undefined;
}

/** Puts together what the route, its stages and its contract say. */
export function operationOf(
  place: OperationPlace,
  contract: OperationContract,
  components: ComponentStore,
): Operation {
  const { route } = place;
  const codes = new Set([...stageProblems(route, place.floodLimited), ...contract.problems]);
  const parameters = parametersOf(place, contract.parameters);
  const limits = limitsOf(route, place.tiers);
  const { authorization } = route.policies;
  return {
    operationId: place.id,
    tags: [place.tag],
    ...textOf(contract, place),
    ...(route.match.hosts.length === 0 ? {} : { servers: serversOf(route.match.hosts) }),
    security: securityOf(route, place.places),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(contract.requestBody === undefined ? {} : { requestBody: contract.requestBody }),
    responses: { ...answersOf(place, contract), ...problemAnswers(codes, components) },
    'x-gatehouse-route': route.id,
    ...(route.team === undefined ? {} : { 'x-gatehouse-team': route.team }),
    ...(limits === undefined ? {} : { 'x-gatehouse-limits': limits }),
    ...(authorization === undefined
      ? {}
      : { 'x-gatehouse-authorization': authorization as Record<string, string[]> }),
    ...(place.variants.length === 0 ? {} : { 'x-gatehouse-variants': place.variants }),
  };
}

/** Hosts as servers, relative to the scheme under which the document was read; `*.` stands for any labels. */
export function serversOf(hosts: readonly string[]): readonly Server[] {
  return hosts.map((host) =>
    host.startsWith('*.')
      ? {
          url: `//{label}${host.slice(1)}`,
          variables: { label: { default: 'www', description: 'Any labels.' } },
        }
      : { url: `//${host}` },
  );
}

function textOf(contract: OperationContract, { route, stays }: OperationPlace): Partial<Operation> {
  const { summary, description, deprecated } = contract;
  const leaving = deprecationOf(route);
  // OpenAPI has one operation for all versions of a place: it goes when all of them do.
  const isGoing = deprecated === true || (leaving !== undefined && !stays);
  const told = leaving && (stays ? `${route.id}: ` : '') + sentenceOf(leaving);
  const text = [description, told].filter((one) => one !== undefined).join('\n\n');
  return {
    ...(summary === undefined ? {} : { summary }),
    ...(text === '' ? {} : { description: text }),
    ...(isGoing ? { deprecated: true as const } : {}),
    ...(leaving === undefined ? {} : { 'x-gatehouse-deprecation': leaving }),
  };
}

function parametersOf({ route, path, method }: OperationPlace, known: readonly Parameter[]): Parameter[] {
  const names = operationNames(route);
  const inPath = path.names.map((name, index): Parameter => {
    const described = known.find(
      (one) => one.in === 'path' && (one.name === names[index] || one.name === name),
    );
    if (name === path.rest) return restParameter(name);
    return {
      ...described,
      name,
      in: 'path',
      required: true,
      schema: described?.schema ?? { type: 'string', ...patternOf(route, names[index]) },
    };
  });
  const asked = route.conditions.flatMap(conditionParameter);
  const isAsked = (one: Parameter): boolean =>
    asked.some(({ name, in: place }) => place === one.in && name === one.name);
  const own = [...known.filter((one) => one.in !== 'path' && !isAsked(one)), ...asked];
  const isOwn = (name: string): boolean =>
    own.some((one) => one.in === 'header' && one.name.toLowerCase() === name.toLowerCase());
  return [...inPath, ...own, ...stageParameters(route, method).filter(({ name }) => !isOwn(name))];
}

/** The header fields of requests that the stages of the route read. */
function stageParameters({ seats, policies }: Route, method: OperationMethod): Parameter[] {
  const all: Readonly<Record<string, unknown>> = policies;
  return policyList.flatMap((policy): Parameter[] =>
    seats[policy.name] === undefined
      ? []
      : Object.entries(policy.requestFields ?? {})
          .filter(([, { methods }]) => methods.has(method.toUpperCase()))
          .map(([name, { description, isRequired }]) => {
            const required = isRequired(all[policy.name] as never) ? { required: true } : {};
            return { name, in: 'header', ...required, description, schema: { type: 'string' } };
          }),
  );
}

function patternOf({ pattern }: Route, name: string | undefined): { pattern?: string } {
  const segment = pattern.segments.find((one) => one.kind === 'parameter' && one.name === name);
  return segment?.kind === 'parameter' && segment.pattern !== undefined
    ? { pattern: whole(segment.pattern.source) }
    : {};
}

// What must not be there is nothing that a client could send.
function conditionParameter({ name, place, declared }: Condition): Parameter[] {
  if (place === 'port' || place === 'path') return [];
  if (typeof declared === 'object' && 'present' in declared && !declared.present) return [];
  return [{ name, in: place, required: true, schema: { type: 'string', ...valueSchema(declared) } }];
}

function valueSchema(declared: ValueMatch): JsonSchema {
  if (typeof declared === 'string') return { const: declared };
  if ('present' in declared) return {};
  if ('regex' in declared) return { pattern: whole(declared.regex) };
  return { pattern: `^${declared.prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}` };
}

function whole(source: string): string {
  return `^(?:${source})$`;
}

/** The names that the route itself uses, which may differ from those of the template that it shares. */
function operationNames({ pattern }: Route): readonly string[] {
  return pattern.parameters;
}

function restParameter(name: string): Parameter {
  return {
    name,
    in: 'path',
    required: true,
    description: 'The rest of the path; it may have slashes.',
    schema: { type: 'string' },
    'x-gatehouse-rest': true,
  };
}

function answersOf(
  { route, method }: OperationPlace,
  { answers }: OperationContract,
): Record<string, Answer> {
  const fields = fieldRefs(['X-Request-Id', ...stageFields(route)]);
  return Object.fromEntries(
    [...stageAnswers(route, method), ...Object.entries(answers)].map(([status, answer]) => [
      status,
      { ...answer, headers: { ...fields, ...answer.headers } },
    ]),
  );
}

/** What the stages of the route answer themselves. */
function stageAnswers({ seats }: Route, method: OperationMethod): (readonly [string, Answer])[] {
  return policyList.flatMap(({ name, ownAnswers = {} }) =>
    seats[name] === undefined
      ? []
      : Object.entries(ownAnswers)
          .filter(([, { methods }]) => methods.has(method.toUpperCase()))
          .map(([status, { description }]) => [status, { description }] as const),
  );
}

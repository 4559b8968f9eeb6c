import type { Route } from '../routing/route.ts';
import type { ComponentStore } from './components.ts';
import { limitsOf } from './limits.ts';
import type { Answer, Operation, OperationMethod, Parameter, RouteVariant, Server } from './openapi.ts';
import type { OperationContract } from './operation-contract.ts';
import type { OperationPath } from './operation-path.ts';
import { fieldRefs, stageFields, problemAnswers, stageProblems } from './problem-answers.ts';
import { securityOf } from './security.ts';

/** Where an operation stands in the document. */
export interface OperationPlace {
  readonly id: string;
  readonly tag: string;
  readonly route: Route;
  readonly path: OperationPath;
  readonly method: OperationMethod;
  readonly variants: readonly RouteVariant[];
  readonly floodLimited: boolean;
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
  const limits = limitsOf(route);
  const { authorization } = route.policies;
  return {
    operationId: place.id,
    tags: [place.tag],
    ...textOf(contract),
    ...(route.match.hosts.length === 0 ? {} : { servers: serversOf(route.match.hosts) }),
    security: securityOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(contract.requestBody === undefined ? {} : { requestBody: contract.requestBody }),
    responses: { ...answersOf(route, contract), ...problemAnswers(codes, components) },
    'x-gatehouse-route': route.id,
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

function textOf({ summary, description, deprecated }: OperationContract): Partial<Operation> {
  return {
    ...(summary === undefined ? {} : { summary }),
    ...(description === undefined ? {} : { description }),
    ...(deprecated === true ? { deprecated: true as const } : {}),
  };
}

function parametersOf({ route, path }: OperationPlace, known: readonly Parameter[]): Parameter[] {
  const own = operationNames(route);
  const inPath = path.names.map((name, index): Parameter => {
    const described = known.find(
      (one) => one.in === 'path' && (one.name === own[index] || one.name === name),
    );
    if (name === path.rest) return restParameter(name);
    return {
      ...described,
      name,
      in: 'path',
      required: true,
      schema: described?.schema ?? { type: 'string' },
    };
  });
  const inHeaders = Object.entries(route.match.headers).map(([name, value]): Parameter => ({
    name,
    in: 'header',
    required: true,
    schema: { type: 'string', const: value },
  }));
  const others = known.filter((one) => one.in !== 'path' && !inHeaders.some(({ name }) => name === one.name));
  return [...inPath, ...others, ...inHeaders];
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

function answersOf(route: Route, { answers }: OperationContract): Record<string, Answer> {
  const fields = fieldRefs(['X-Request-Id', ...stageFields(route)]);
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      { ...answer, headers: { ...fields, ...answer.headers } },
    ]),
  );
}

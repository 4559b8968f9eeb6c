import type { Stage, StageFactory } from '../policies/stage.ts';
import type { DeclaredPolicies, RouteDefinition } from './route.ts';
import type { PolicySet } from '../policies/order.ts';

/** Whether a factory makes stages that every request meets before a route is looked for, whoever answers it. */
export function isAtEntrance({ policy }: StageFactory): boolean {
  return policy.before === 'match';
}

/**
 * Compiles the stages that every request meets before a route is looked for, at both doors. No route is known by then:
 * the defaults say what is in force.
 *
 * @throws {Error} with a message for the operator when the options make no sense.
 */
export function compileEntrance(
  factories: readonly StageFactory[],
  defaults: DeclaredPolicies,
): readonly Stage[] {
  return compileFor(factories.filter(isAtEntrance), 'entrance', defaults);
}

/**
 * Compiles the stages that edit the heads of what no route answers, such as 404. The defaults say what is in force.
 *
 * @throws {Error} with a message for the operator when the options make no sense.
 */
export function compileUnrouted(
  factories: readonly StageFactory[],
  defaults: DeclaredPolicies,
): readonly Stage[] {
  return compileFor(
    factories.filter(({ policy }) => policy.unrouted === true),
    'unrouted',
    defaults,
  );
}

function compileFor(
  factories: readonly StageFactory[],
  routeId: string,
  defaults: DeclaredPolicies,
): readonly Stage[] {
  const policies = Object.fromEntries(Object.entries(defaults).filter(([, options]) => options !== 'off'));
  const input = { routeId, door: 'proxy', policies: policies as PolicySet } as const;
  return Object.freeze(factories.flatMap((factory) => factory.compile(input) ?? []));
}

/** The policy of a route that it cannot have for itself, because it is decided before the route is known. */
export function tooLate(
  { policies }: RouteDefinition,
  factories: readonly StageFactory[],
): string | undefined {
  return factories
    .filter(isAtEntrance)
    .map(({ policy }) => policy.name)
    .find((name) =>
      policies.some((level) => (level as Readonly<Record<string, unknown>>)[name] !== undefined),
    );
}

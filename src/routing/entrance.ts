import { seatsOf, type Seats } from '../policies/seats.ts';
import type { StageFactory, StageInput } from '../policies/stage-factory.ts';
import type { Stage } from '../policies/stage.ts';
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
  const input = inputOf(defaults, 'entrance');
  return Object.freeze(factories.filter(isAtEntrance).flatMap((factory) => factory.compile(input) ?? []));
}

/**
 * Compiles what the defaults say about requests that no route takes: what can be decided without knowing who calls. It
 * edits the heads of refusals such as 404, and answers preflights, so that a page can read them.
 *
 * @throws {Error} with a message for the operator when the options make no sense.
 */
export function compileUnrouted(
  factories: readonly StageFactory[],
  defaults: DeclaredPolicies,
): Pick<Seats, 'heads' | 'preflight'> {
  const input = inputOf(defaults, 'unrouted');
  const seated = factories
    .filter(({ policy }) => policy.before === 'identity')
    .flatMap((factory) => {
      const stage = factory.compile(input);
      return stage === undefined ? [] : [{ policy: factory.policy, stage }];
    });
  const { heads, preflight } = seatsOf(seated, 'proxy');
  return Object.freeze({ heads, preflight });
}

function inputOf(defaults: DeclaredPolicies, routeId: string): StageInput {
  const policies = Object.fromEntries(Object.entries(defaults).filter(([, options]) => options !== 'off'));
  return { routeId, door: 'proxy', policies: policies as PolicySet };
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

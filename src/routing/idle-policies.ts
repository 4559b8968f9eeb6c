import { policyList, type PolicySet } from '../policies/order.ts';
import { schemesOf } from '../policies/authentication/requirement.ts';
import type { DoorName } from '../policies/doors.ts';
import type { IdleOptions, RouteKind } from '../policies/policy-facts.ts';
import type { Policy } from '../policies/policy.ts';
import type { SeatedStage } from '../policies/seats.ts';
import { ActionError, type ActionKind, type RouteAction } from './route-action.ts';
import type { DeclaredPolicies, RouteDefinition } from './route.ts';

/** What controllers and GraphQL are called where kinds of routes are told apart. */
const HANDLER = 'handler';

/** The policies that say where they do nothing; a table of thousands asks no others. */
const TELLING = policyList.filter(({ idle, unfit, isOfUpstreams }) => idle ?? unfit ?? isOfUpstreams);

type Options = Readonly<Record<string, unknown>>;

/** What policies are looked at with. */
interface IdleDeps {
  readonly actions: readonly Pick<ActionKind, 'source'>[];
  readonly defaults: DeclaredPolicies;
}

/**
 * The policies of a route, of which each part does something. What a route of the file or a handler says itself and what
 * would do nothing there is refused: who writes a policy counts on it, and silence would be failing open. What is inherited is meant
 * for other routes; such a part is left out, so that no stage minds it.
 *
 * @throws {ActionError} below the key of the first one.
 */
export function settledPolicies(
  merged: PolicySet,
  definition: RouteDefinition,
  { actions, defaults }: IdleDeps,
): PolicySet {
  const source = actions.find((one) => one.source.kind === definition.action?.kind)?.source;
  const { methods } = definition.match;
  const isGraphql = definition.fitsAs === 'graphqlPost';
  const schemes = schemesAt(merged);
  const at = {
    kind: source?.kind ?? HANDLER,
    methods,
    sendsEvents: definition.sendsEvents,
    isGraphql,
    schemes,
  };
  let settled = merged;
  for (const policy of TELLING) {
    const own = ownOf(definition, policy.name);
    if (own === undefined) settled = withoutIdle(settled, policy, at);
    else if (source !== undefined) checkOwn(policy, own, { merged, at, door: source.door, defaults });
    else if (own !== 'off') settled = ofHandler(policy, settled, definition, at);
  }
  return settled === merged ? merged : Object.freeze(settled);
}

/** One policy that a route of the file says itself. */
interface OwnPolicy {
  readonly merged: PolicySet;
  readonly at: RouteKind;
  readonly door: DoorName | undefined;
  readonly defaults?: DeclaredPolicies;
}

// What a class says is for all of its handlers, of which some may read bodies, or send no events.
function ofHandler(policy: Policy, merged: PolicySet, definition: RouteDefinition, at: RouteKind): PolicySet {
  const { policies, fitsAs: door } = definition;
  const isOfClass = policies.length > 1 && policies.slice(0, -1).every((level) => !(policy.name in level));
  checkOwn(policy, undefined, {
    merged,
    at: isOfClass ? { ...at, methods: [], sendsEvents: undefined } : at,
    door,
  });
  return withoutIdle(merged, policy, at);
}

function checkOwn(policy: Policy, own: unknown, { merged, at, door, defaults = {} }: OwnPolicy): void {
  if (own === 'off') return refuseOff(policy, defaults);
  const unfit = door && policy.unfit?.[door];
  const idle = unfit === undefined ? idleOf(policy, merged, at) : { key: [], reason: unfit };
  if (idle !== undefined)
    throw new ActionError(['policies', policy.name, ...idle.key], `has no effect here: ${idle.reason}`);
}

/** What is said of a policy that upstreams have where it would change nothing for them. */
export function belongsToUpstreams(name: string): string {
  return `has no effect here: \`${name}\` belongs to upstreams; say it as \`upstreams.<name>.${name}\``;
}

/**
 * Refuses what a route itself charges for messages of WebSockets that it does not forward.
 *
 * @throws {ActionError} below the key of the policy.
 */
export function refuseIdleMessages(
  definition: RouteDefinition,
  stages: readonly SeatedStage[],
  action: RouteAction,
): void {
  if (action.forwardsSockets === true) return;
  const idle = stages.find(
    ({ policy, stage }) => stage.message !== undefined && ownOf(definition, policy.name) !== undefined,
  );
  if (idle === undefined) return;
  const fix = definition.door === 'handler' ? 'leave `perMessage` out' : 'say `webSocket: on`';
  const message = `charges messages of WebSockets, of which this route forwards none; ${fix}`;
  throw new ActionError(['policies', idle.policy.name], message);
}

// Of a default for handlers a route may well say that it is not its own.
function refuseOff({ name, isOfUpstreams }: Policy, defaults: DeclaredPolicies): void {
  const wide = (defaults as Options)[name];
  if (isOfUpstreams === true && (wide === undefined || wide === 'off'))
    throw new ActionError(['policies', name], belongsToUpstreams(name));
}

function withoutIdle(merged: PolicySet, policy: Policy, at: RouteKind): PolicySet {
  let left = merged;
  for (let idle = idleOf(policy, left, at); idle !== undefined; idle = idleOf(policy, left, at)) {
    if (idle.isHarmless === true) return left;
    // A whole policy of a route of the file may stay: it does nothing, and nobody minds it.
    if (idle.key.length === 0 && at.kind !== HANDLER) return left;
    left = without(left as Options, [policy.name, ...idle.key]) as PolicySet;
  }
  return left;
}

function idleOf(policy: Policy, merged: PolicySet, at: RouteKind): IdleOptions | undefined {
  const options = policy.idle && (merged as Options)[policy.name];
  return options === undefined ? undefined : policy.idle?.(options as never, at);
}

function ownOf({ policies }: RouteDefinition, name: string): unknown {
  for (const level of policies) {
    const said = (level as Options)[name];
    if (said !== undefined) return said;
  }
  return undefined;
}

function schemesAt({ authentication }: PolicySet): readonly string[] | undefined {
  return authentication === 'public' ? [] : authentication && schemesOf(authentication);
}

function without(value: Options, [key = '', ...rest]: readonly (string | number)[]): Options {
  const { [key]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [key]: without(inner as Options, rest) };
}

import { CanaryCookie } from '../canary/canary-cookie.ts';
import { CanarySplit } from '../canary/canary-split.ts';
import type { CanaryOptions } from '../canary/canary.schema.ts';
import type { Rollout } from '../canary/rollout.ts';
import type { Rollouts } from '../canary/rollouts.ts';
import { isIn } from '../exchange/subset.ts';
import { readLongSecret } from '../config/secrets.ts';
import { compileCondition, type ExchangeCondition } from '../conditions/condition.ts';
import { ActionError, type ActionInput, type RouteAction } from '../routing/route-action.ts';
import type { LeaseWatch } from '../upstreams/lease.ts';
import { UpstreamPart, type UpstreamSource } from '../upstreams/upstream-part.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { CanaryAction } from './canary.action.ts';
import type { SideAction } from './several.action.ts';

type Side = 'canary' | 'stable' | 'rule';

/** What a canary is compiled with. */
export interface CanaryInput {
  readonly options: CanaryOptions;
  readonly rollout: Rollout;
  readonly rollouts: Rollouts;
  readonly input: ActionInput;
  /** Makes what answers one side. */
  readonly forward: (source: UpstreamSource) => SideAction;
}

/** Makes the action of a route with a canary. @throws {ActionError} for the operator. */
export function compileCanary({ options, rollout, rollouts, input, forward }: CanaryInput): RouteAction {
  const { upstream, routeId } = input;
  if (upstream === undefined) throw new ActionError(['upstream'], 'expected the name of an upstream');
  const { sticky } = options;
  const secret = secretOf(options);
  const cookie = secret === undefined ? undefined : new CanaryCookie(routeId, rollout.plan.id, secret);
  const of = (side: Side): LeaseWatch => watchOf(rollout, rollouts, side);
  const sources = sourcesOf(upstream, options, input, of);
  const { stable, canary, rule } = sources;
  const split = new CanarySplit(rollout, { sticky, when: conditionOf(options), cookie, stable, canary });
  const labels = Object.entries(options.to ?? {}).map(([name, value]) => `${name}=${value}`);
  return new CanaryAction(split, {
    stable: forward(stable),
    canary: forward(canary),
    rule: forward(rule),
    shown: options.upstream ?? labels.join(','),
    cookie: cookie?.name,
    elsewhere: canary.whole === upstream ? [] : [{ upstream: canary.whole, key: ['canary', 'upstream'] }],
  });
}

function sourcesOf(
  upstream: Upstream,
  { to, upstream: other }: CanaryOptions,
  input: ActionInput,
  of: (side: Side) => LeaseWatch,
): Readonly<Record<Side, UpstreamSource>> {
  const all = (): boolean => true;
  if (to !== undefined) {
    const { targets, discovery } = upstream.options;
    // Nobody would ever come to it. Which labels discovered targets will have, nobody knows.
    if (discovery === undefined && !targets.some(({ labels }) => isIn({ labels: to }, labels)))
      throw new ActionError(
        ['canary', 'to'],
        `no target of the upstream "${upstream.name}" has these labels`,
      );
    return {
      stable: new UpstreamPart(upstream, (target) => !isIn({ labels: to }, target.labels), of('stable')),
      canary: new UpstreamPart(upstream, (target) => isIn({ labels: to }, target.labels), of('canary')),
      rule: new UpstreamPart(upstream, (target) => isIn({ labels: to }, target.labels), of('rule')),
    };
  }
  const canary = input.named(other ?? '', ['canary', 'upstream']);
  if (canary === upstream)
    throw new ActionError(['canary', 'upstream'], 'expected another upstream than that of the route');
  if (canary.options.protocol !== 'http')
    throw new ActionError(
      ['canary', 'upstream'],
      `the upstream "${canary.name}" speaks gRPC, expected one that speaks http`,
    );
  return {
    stable: new UpstreamPart(upstream, all, of('stable')),
    canary: new UpstreamPart(canary, all, of('canary')),
    rule: new UpstreamPart(canary, all, of('rule')),
  };
}

// Errors are those of targets: what says nothing about them, such as a client that leaves, is not counted at all.
function watchOf(rollout: Rollout, rollouts: Rollouts, side: Side): LeaseWatch {
  const { route } = rollout.plan;
  return {
    settled(outcome, durationMs) {
      rollouts.counted(route, side, outcome);
      if (side !== 'rule' && outcome !== 'neutral') rollout.settled(side, outcome === 'failure', durationMs);
    },
    broke() {
      rollouts.counted(route, side, 'broken');
      if (side !== 'rule') rollout.broke(side);
    },
  };
}

function conditionOf({ when }: CanaryOptions): ExchangeCondition | undefined {
  if (when === undefined) return undefined;
  try {
    return compileCondition(when);
  } catch (error) {
    throw new ActionError(['canary', 'when'], Error.isError(error) ? error.message : 'cannot be read');
  }
}

function secretOf({ secretEnv, secretFile }: CanaryOptions): string | undefined {
  if (secretEnv === undefined && secretFile === undefined) return undefined;
  try {
    // Fails closed: with a short secret anybody could choose a side.
    return readLongSecret({ variable: secretEnv, file: secretFile });
  } catch (error) {
    throw new ActionError(
      ['canary', secretFile === undefined ? 'secretEnv' : 'secretFile'],
      (error as Error).message,
    );
  }
}

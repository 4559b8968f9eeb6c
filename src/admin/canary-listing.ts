import type { FastifyInstance } from 'fastify';
import { percentText } from '../config/units.ts';
import type { Rollout } from '../canary/rollout.ts';
import type { RolloutChange, RolloutStatus } from '../canary/rollout-state.ts';
import { WISHES, type Rollouts, type WishName } from '../canary/rollouts.ts';
import { operation } from './operation.ts';

/** One side of a rollout, as far as this step was measured: attempts at targets. */
export interface ListedSide {
  readonly attempts: number;
  readonly failures: number;
}

/** A rollout as operators see it. */
export interface ListedRollout {
  readonly route: string;
  readonly id: string;
  readonly status: RolloutStatus;
  /** From 1; absent once all traffic is at one side. */
  readonly step?: number;
  readonly steps: readonly string[];
  readonly weight: string;
  readonly reason: string;
  readonly canary: ListedSide;
  readonly stable: ListedSide;
  /** Newest first. */
  readonly changes: readonly RolloutChange[];
  /** False where a reload has taken it away meanwhile: it is as was ordered, here and for whoever still has it. */
  readonly isThere?: false;
}

/** Describes one rollout. */
export function describeRollout(rollout: Rollout): ListedRollout {
  const { plan, state, weight, changes } = rollout;
  const { canary, stable } = rollout.measured();
  return {
    route: plan.route,
    id: plan.id,
    status: state.status,
    ...(rollout.isSettled ? {} : { step: state.step + 1 }),
    steps: plan.steps.map((step) => percentText(step.weight)),
    weight: percentText(weight),
    reason: state.reason,
    canary: { attempts: canary.attempts, failures: canary.failures },
    stable: { attempts: stable.attempts, failures: stable.failures },
    changes,
  };
}

/** Shows rollouts, and takes what operators want of them. */
export function serveRollouts(server: FastifyInstance, rollouts: Rollouts): void {
  server.get('/canaries', operation('listCanaries', 'read', { summary: 'The rollouts of routes' }), () =>
    rollouts.list().map(describeRollout),
  );
  server.post<{ Params: { route: string; wish: string } }>(
    '/canaries/:route/:wish',
    operation('steerCanary', 'operate', { summary: 'Pause, resume, promote or abort a rollout' }),
    async ({ params: { route, wish } }, reply) => {
      if (!Object.hasOwn(WISHES, wish))
        return reply.code(404).send({ error: `expected one of ${Object.keys(WISHES).join(', ')}` });
      // The one that was there when it was ordered: a reload may take it away while Redis is asked.
      const rollout = rollouts.list().find(({ plan }) => plan.route === route);
      const outcome = rollout && (await rollouts.wish(route, wish as WishName));
      if (rollout === undefined || outcome === undefined)
        return reply.code(404).send({ error: `the route "${route}" has no canary` });
      if (outcome === 'refused')
        return reply.code(409).send({ error: `a rollout in this state takes no ${wish}` });
      if (outcome === 'unreachable')
        return reply.code(503).send({ error: 'Redis is not reachable, and replicas would not agree' });
      const isThere = rollouts.list().includes(rollout);
      return { ...describeRollout(rollout), ...(!isThere && { isThere }) };
    },
  );
}

import type { Exchange } from '../../exchange/exchange.ts';
import { announcesBody } from '../../problems/render-problem.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { bodyIdlePolicy } from './body-idle.policy.ts';
import { BodyWatch, type BodyWatchLimits } from './body-watch.ts';

/** Watches a body arrive that is not there yet. */
class BodyIdleStage implements Stage {
  readonly #limits: BodyWatchLimits;

  constructor(limits: BodyWatchLimits) {
    this.#limits = limits;
  }

  enter(exchange: Exchange): void {
    const { request } = exchange;
    if (!request.complete && announcesBody(request)) void new BodyWatch(exchange, this.#limits);
  }

  explain({ request }: Exchange): StageVerdict {
    return passes({}, announcesBody(request) ? 'watches the body arrive' : 'there is no body to watch');
  }
}

/** Compiles the `bodyIdle` policy. */
export class BodyIdleStageFactory implements StageFactory {
  readonly policy = bodyIdlePolicy;

  compile({ policies, upstreamIdleMs = Infinity }: StageInput): Stage | undefined {
    // Whether the target takes a body is watched also where its client may be silent.
    const limits = { idleMs: policies.bodyIdle ?? Infinity, untakenMs: upstreamIdleMs };
    return Math.min(limits.idleMs, limits.untakenMs) < Infinity ? new BodyIdleStage(limits) : undefined;
  }
}

/** Registers the policy in THE ORDER. */
export const bodyIdle = { policy: bodyIdlePolicy, factory: BodyIdleStageFactory };

import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { awaitsBody } from '../body-idle/body-watch.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import { deadlinePolicy } from './deadline.policy.ts';

/** Gives the exchange an absolute budget and cancels it when that is spent. */
class DeadlineStage implements Stage {
  readonly #budgetMs: number;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  // The budget runs from the first byte of the request, not from the moment this stage is reached.
  enter(exchange: Exchange): void {
    exchange.deadlineAt = exchange.startedAt + this.#budgetMs;
    const remainingMs = exchange.remainingMs();
    if (remainingMs === 0) throw new Problem('deadline-exceeded');
    const timer = setTimeout(expire, remainingMs, exchange);
    exchange.onClosed(() => clearTimeout(timer));
  }
}

// An answer whose head is out is streamed to its end: a download may take longer than finding it. While we wait for the
// body, it is the client that is late, and nothing speaks against who would have got it.
function expire(exchange: Exchange): void {
  if (exchange.response.headersSent) return;
  exchange.cancel(new Problem(awaitsBody(exchange.request) ? 'request-timeout' : 'deadline-exceeded'));
}

/** Compiles the `deadline` policy. */
export class DeadlineStageFactory implements StageFactory {
  readonly policy = deadlinePolicy;

  compile({ policies }: StageInput): Stage | undefined {
    return policies.deadline === undefined ? undefined : new DeadlineStage(policies.deadline);
  }
}

/** Registers the policy in THE ORDER. */
export const deadline = { policy: deadlinePolicy, factory: DeadlineStageFactory };

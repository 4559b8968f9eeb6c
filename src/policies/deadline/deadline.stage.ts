import { awaitsBody } from '../../exchange/awaited-body.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { durationText } from '../../config/units.ts';
import { Problem } from '../../problems/problem.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { deadlinePolicy } from './deadline.policy.ts';

/** Gives the exchange an absolute budget and cancels it when that is spent. */
class DeadlineStage implements Stage {
  readonly #budgetMs: number;
  readonly #patienceOf: StageInput['patienceOf'];

  constructor(budgetMs: number, patienceOf: StageInput['patienceOf']) {
    this.#budgetMs = budgetMs;
    this.#patienceOf = patienceOf;
  }

  // The budget runs from the first byte of the request, not from the moment this stage is reached.
  enter(exchange: Exchange): void {
    exchange.deadlineAt = exchange.startedAt + this.#budgetOf(exchange);
    const remainingMs = exchange.remainingMs();
    if (remainingMs === 0) throw new Problem('deadline-exceeded');
    const timer = setTimeout(expire, remainingMs, exchange);
    exchange.onClosed(() => clearTimeout(timer));
  }

  explain(exchange: Exchange): StageVerdict {
    const budgetMs = this.#budgetOf(exchange);
    exchange.deadlineAt = exchange.startedAt + budgetMs;
    if (budgetMs <= 0) throw new Problem('deadline-exceeded');
    return passes({ left: durationText(budgetMs) });
  }

  // Nobody is believed who wants to wait longer than the route allows.
  #budgetOf({ request }: Exchange): number {
    if (this.#patienceOf === undefined) return this.#budgetMs;
    return Math.min(this.#budgetMs, this.#patienceOf(request));
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

  compile({ policies, patienceOf }: StageInput): Stage | undefined {
    const { deadline: budgetMs } = policies;
    return budgetMs === undefined ? undefined : new DeadlineStage(budgetMs, patienceOf);
  }
}

/** Registers the policy in THE ORDER. */
export const deadline = { policy: deadlinePolicy, factory: DeadlineStageFactory };

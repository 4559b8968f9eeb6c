import type { Exchange } from '../../exchange/exchange.ts';
import { Problem, retryAfterSeconds } from '../../problems/problem.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import { Breaker, type Outcome } from './breaker.ts';
import { circuitBreakerPolicy } from './circuit-breaker.policy.ts';

const FIRST_FAULT_STATUS = 500;

/** Refuses early when every target of the route's upstream has its breaker open. */
class UpstreamBreakStage implements Stage {
  readonly #openForMs: () => number;

  constructor(openForMs: () => number) {
    this.#openForMs = openForMs;
  }

  enter(_exchange: Exchange): void {
    const openForMs = this.#openForMs();
    if (openForMs > 0) throw circuitOpen(openForMs);
  }
}

/**
 * The breaker of one code-first handler. It learns the outcome when the exchange closes: faults count (5xx and
 * anything unexpected); refusals of the caller do not, and a client that left says nothing.
 */
export class HandlerBreakStage implements Stage {
  readonly breaker: Breaker;

  constructor(breaker: Breaker) {
    this.breaker = breaker;
  }

  enter(exchange: Exchange): void {
    const admission = this.breaker.admit();
    if (admission === 'refused') throw circuitOpen(this.breaker.openForMs);
    exchange.breaker = admission === 'probe' ? 'half-open' : 'closed';
    exchange.onClosed(() => this.breaker.settle(admission, outcomeOf(exchange)));
  }

  /** Ends the breaker's timer. */
  close(): void {
    this.breaker.shutdown();
  }
}

function outcomeOf({ problem, status }: Exchange): Outcome {
  if (problem?.code === 'client-closed') return 'neutral';
  return (problem?.status ?? status) >= FIRST_FAULT_STATUS ? 'failure' : 'success';
}

/** The refusal of an open breaker. */
export function circuitOpen(openForMs: number): Problem {
  return new Problem('circuit-open', { headers: { 'retry-after': retryAfterSeconds(openForMs) } });
}

/** Compiles the break stage: the breakers of the upstream's targets, or the handler's own. */
export class CircuitBreakerStageFactory implements StageFactory {
  readonly policy = circuitBreakerPolicy;

  compile({ door, policies, upstreamOpenForMs }: StageInput): Stage | undefined {
    if (door === 'handler') {
      return policies.circuitBreaker && new HandlerBreakStage(new Breaker(policies.circuitBreaker));
    }
    if (policies.circuitBreaker !== undefined) {
      throw new Error(
        '`circuitBreaker` of a proxied route belongs to its upstream: upstreams.<name>.circuitBreaker',
      );
    }
    return upstreamOpenForMs && new UpstreamBreakStage(upstreamOpenForMs);
  }
}

/** Registers the policy in THE ORDER. */
export const circuitBreaker = { policy: circuitBreakerPolicy, factory: CircuitBreakerStageFactory };

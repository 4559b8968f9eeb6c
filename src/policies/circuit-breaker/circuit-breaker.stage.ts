import type { Exchange } from '../../exchange/exchange.ts';
import { isOverload } from '../../problems/overload.ts';
import type { Problem } from '../../problems/problem.ts';
import { StageFault } from '../stage-fault.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { Breaker, REFUSED, type Outcome } from './breaker.ts';
import { circuitOpen } from './circuit-open.ts';
import { circuitBreakerPolicy } from './circuit-breaker.policy.ts';

const FIRST_FAULT_STATUS = 500;

/** Refuses early what no target of the route's upstream can be asked for. */
class UpstreamBreakStage implements Stage {
  readonly #refusal: () => Problem | undefined;

  constructor(refusal: () => Problem | undefined) {
    this.#refusal = refusal;
  }

  enter(_exchange: Exchange): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
  }

  // Only looks at the breakers; whoever asks a target enters its own.
  explain(exchange: Exchange): StageVerdict {
    this.enter(exchange);
    return passes();
  }
}

/**
 * The breaker of one code-first handler. It learns the outcome when the exchange closes: faults count (5xx and
 * anything unexpected); refusals of the caller do not, and a client that left says nothing.
 */
export class HandlerBreakStage implements Stage {
  readonly breaker: Breaker;
  /** Hears of the first byte; absent where slow calls do not count. */
  readonly head: Stage['head'];
  readonly #began = new WeakMap<Exchange, number>();
  readonly #waited = new WeakMap<Exchange, number>();

  constructor(breaker: Breaker) {
    this.breaker = breaker;
    this.head = breaker.slowMs === Infinity ? undefined : (exchange) => this.#answered(exchange);
  }

  enter(exchange: Exchange): void {
    const admission = this.breaker.admit();
    if (admission === REFUSED) throw circuitOpen(this.breaker.openForMs);
    exchange.breaker = admission < 0 ? 'half-open' : 'closed';
    // Not from the first byte of the request: how long its body takes is the client's doing.
    if (this.head !== undefined) this.#began.set(exchange, performance.now());
    exchange.onClosed(() =>
      this.breaker.settle(admission, outcomeOf(exchange), this.#waited.get(exchange) ?? 0),
    );
  }

  explain(): StageVerdict {
    const { state, available, openForMs } = this.breaker;
    if (!available && state === 'open') throw circuitOpen(openForMs);
    if (state === 'closed') return passes({ breaker: state });
    return depends('one request at a time may try whether it works again', { breaker: state });
  }

  /** Ends the breaker's timer. */
  close(): void {
    this.breaker.shutdown();
  }

  #answered(exchange: Exchange): void {
    this.#waited.set(exchange, performance.now() - (this.#began.get(exchange) ?? Infinity));
  }
}

function outcomeOf({ problem, status }: Exchange): Outcome {
  // What was refused for want of capacity has not been tried.
  if (problem?.code === 'client-closed' || isOverload(problem)) return 'neutral';
  return (problem?.status ?? status) >= FIRST_FAULT_STATUS ? 'failure' : 'success';
}

/** Compiles the break stage: the breakers of the upstream's targets, or the handler's own. */
export class CircuitBreakerStageFactory implements StageFactory {
  readonly policy = circuitBreakerPolicy;

  compile({ door, policies, upstreamRefusal }: StageInput): Stage | undefined {
    if (door === 'handler') {
      return policies.circuitBreaker && new HandlerBreakStage(new Breaker(policies.circuitBreaker));
    }
    if (policies.circuitBreaker !== undefined) {
      throw new StageFault(
        ['circuitBreaker'],
        '`circuitBreaker` of a proxied route belongs to its upstream: upstreams.<name>.circuitBreaker',
      );
    }
    return upstreamRefusal && new UpstreamBreakStage(upstreamRefusal);
  }
}

/** Registers the policy in THE ORDER. */
export const circuitBreaker = { policy: circuitBreakerPolicy, factory: CircuitBreakerStageFactory };

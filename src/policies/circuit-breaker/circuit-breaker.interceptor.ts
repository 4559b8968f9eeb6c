import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { finalize, tap, throwError, type Observable } from 'rxjs';
import { exchangeOf } from '../../exchange/exchange-of.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { Outcome } from './breaker.ts';
import { circuitOpen, HandlerBreakStage } from './circuit-breaker.stage.ts';

/** Puts the breaker of a handler's `@CircuitBreaker()` around it. */
@Injectable()
export class CircuitBreakerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const exchange = exchangeOf(context);
    const stage = exchange.route?.seats.break;
    return stage instanceof HandlerBreakStage ? guarded(stage, exchange, next) : next.handle();
  }
}

/** Runs a handler under its breaker. Faults count (5xx and anything unexpected); refusals of the caller do not. */
export function guarded(
  { breaker }: HandlerBreakStage,
  exchange: Exchange,
  next: CallHandler,
): Observable<unknown> {
  const admission = breaker.admit();
  if (admission === 'refused') return throwError(() => circuitOpen(breaker.openForMs));
  let outcome: Outcome | undefined;
  return next.handle().pipe(
    tap({ complete: () => (outcome = 'success'), error: (error: unknown) => (outcome = outcomeOf(error)) }),
    // Also when nobody waits for the handler any more: a probe that is never settled would keep the breaker half-open.
    finalize(() => breaker.settle(admission, outcome ?? outcomeOf(exchange.cancelled ?? LEFT))),
  );
}

const LEFT = new Problem('client-closed');

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Problem)) return 'failure';
  if (error.code === 'client-closed') return 'neutral';
  return error.status >= 500 ? 'failure' : 'success';
}

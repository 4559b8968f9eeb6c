import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { catchError, tap, throwError, type Observable } from 'rxjs';
import { exchangeOf } from '../../exchange/exchange-of.ts';
import { Problem } from '../../problems/problem.ts';
import { circuitOpen, HandlerBreakStage } from './circuit-breaker.stage.ts';

/** Puts the breaker of a handler's `@CircuitBreaker()` around it. */
@Injectable()
export class CircuitBreakerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const stage = exchangeOf(context).route?.seats.break;
    return stage instanceof HandlerBreakStage ? guarded(stage, next) : next.handle();
  }
}

/** Runs a handler under its breaker. Faults count (5xx and anything unexpected); refusals of the caller do not. */
export function guarded({ breaker }: HandlerBreakStage, next: CallHandler): Observable<unknown> {
  const admission = breaker.admit();
  if (admission === 'refused') return throwError(() => circuitOpen(breaker.openForMs));
  return next.handle().pipe(
    tap({ complete: () => breaker.settle(admission, 'success') }),
    catchError((error: unknown) => {
      breaker.settle(admission, outcomeOf(error));
      return throwError(() => error);
    }),
  );
}

function outcomeOf(error: unknown): 'success' | 'failure' | 'neutral' {
  if (!(error instanceof Problem)) return 'failure';
  if (error.code === 'client-closed') return 'neutral';
  return error.status >= 500 ? 'failure' : 'success';
}

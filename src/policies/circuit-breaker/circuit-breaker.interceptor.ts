import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { exchangeOf } from '../../exchange/exchange-of.ts';
import { enterSeat } from '../seats.ts';

/**
 * Seats the breaker of a handler's `@CircuitBreaker()` in a team's own module. Admits an exchange once, also when the
 * global seat already did.
 */
@Injectable()
export class CircuitBreakerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const exchange = exchangeOf(context);
    if (exchange.breaker === undefined) void enterSeat(exchange.route?.seats['circuitBreaker'], exchange);
    return next.handle();
  }
}

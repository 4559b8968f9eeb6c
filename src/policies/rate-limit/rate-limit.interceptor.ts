import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { exchangeOf } from '../../exchange/exchange-of.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { enterSeat } from '../seats.ts';

/**
 * Seats the limit of the route in a team's own module: `@UseInterceptors(RateLimitInterceptor)`. Charges an
 * exchange once, also when the global seat already did or when several resolvers ask at the same time.
 */
@Injectable()
export class RateLimitInterceptor implements NestInterceptor {
  readonly #charging = new WeakMap<Exchange, Promise<void>>();

  intercept(
    context: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    const exchange = exchangeOf(context);
    const pending = this.#charging.get(exchange) ?? enterSeat(exchange.route?.seats['rateLimit'], exchange);
    if (pending === undefined) return next.handle();
    this.#charging.set(exchange, pending);
    return pending.then(() => next.handle());
  }
}

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { exchangeOf } from '../../exchange/exchange-of.ts';
import { Problem } from '../../problems/problem.ts';
import { enterSeat } from '../seats.ts';

/** Seats the identify stage at the code-first door. Proxied routes run it in their own loop. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const exchange = exchangeOf(context);
    // Fails closed: a handler outside the route table has no policies that could open it.
    if (exchange.route === undefined) throw new Problem('route-not-found');
    // A hook has entered it before the body was read. GraphQL asks once per root field, and the first answer holds.
    if (exchange.route.door === 'proxy' || exchange.admitted || exchange.principal !== undefined) return true;
    const pending = enterSeat(exchange.route.seats['authentication'], exchange);
    return pending === undefined ? true : pending.then(() => true);
  }
}

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { exchangeOf } from '../../exchange/exchange-of.ts';
import { Problem } from '../../problems/problem.ts';
import { enterSeat } from '../seats.ts';

/**
 * Seats the authorize stage at the code-first door. Proxied routes run it in their own loop. The stage only
 * compares names, so that running it again for each root field of a GraphQL operation changes nothing.
 */
@Injectable()
export class AuthorizationGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const exchange = exchangeOf(context);
    // Fails closed: a handler outside the route table has no policies that could open it.
    if (exchange.route === undefined) throw new Problem('route-not-found');
    // A hook has entered it before the body was read.
    if (exchange.route.door === 'proxy' || exchange.admitted) return true;
    const pending = enterSeat(exchange.route.seats['authorization'], exchange);
    return pending === undefined ? true : pending.then(() => true);
  }
}

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { exchangeOf } from '../exchange/exchange-of.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { passOn } from '../policies/seats.ts';
import { enterStages, type Entered } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';
import { SeatedGuards } from './seated-guards.ts';

/**
 * The stages after the body for the code-first door, such as break. They only act before the handler or when the
 * exchange closes, so they sit in a guard: an interceptor would cost about as much as the rest of the framework.
 */
@Injectable()
export class StagesGuard implements CanActivate {
  constructor(private readonly seated: SeatedGuards) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const exchange = exchangeOf(context);
    // The GraphQL door enters the stages of its route itself, once per request and not per root field.
    if (exchange.route === undefined || context.getType<string>() !== 'http') return true;
    // Fails closed: without the hook nobody has limited this request.
    if (!exchange.admitted) throw new Problem('route-not-found');
    // Answered already: nothing is run that a place or a breaker is for.
    if (exchange.awaited !== undefined) return true;
    if (exchange.route.afterBody.length > 0)
      exchange.parsedBody = context.switchToHttp().getRequest<{ readonly body?: unknown }>().body;
    const entered = enterStages(exchange.route.afterBody, exchange);
    if (entered instanceof Promise)
      return entered.then((answer) => this.#proceed(exchange, answer, context.getHandler()));
    return this.#proceed(exchange, entered, context.getHandler());
  }

  #proceed(exchange: Exchange, answer: Entered, handler: object): true {
    const { recording } = exchange;
    const waits = (recording !== undefined || exchange.isReplayed) && this.seated.has(handler);
    if (waits && exchange.isReplayed) exchange.awaited = answer;
    else passOn(answer);
    if (exchange.cancelled !== undefined) throw exchange.cancelled;
    if (recording !== undefined && !waits) recording.handledFrom = exchange.responseHeaders.length;
    return true;
  }
}

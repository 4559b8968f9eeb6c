import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { exchangeOf } from '../exchange/exchange-of.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { enterStages, type Stage } from '../policies/stage.ts';
import { renderProblem } from '../problems/render-problem.ts';
import type { Route } from '../routing/route.ts';

/** Stages that guards of their own run before this one. */
const GUARDED: ReadonlySet<string> = new Set(['identify', 'authorize']);

/**
 * Limit, size, deadline, transform and break for the code-first door. They only act before the handler or when the
 * exchange closes, so they sit in a guard: an interceptor would cost about as much as the rest of the framework.
 */
@Injectable()
export class StagesGuard implements CanActivate {
  readonly #stages = new WeakMap<Route, readonly Stage[]>();

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const exchange = exchangeOf(context);
    // The GraphQL door enters the stages of its route itself, once per request and not per root field.
    if (exchange.route === undefined || context.getType<string>() !== 'http') return true;
    const pending = enterStages(this.#stagesOf(exchange.route), exchange);
    return pending === undefined
      ? proceed(context, exchange)
      : pending.then(() => proceed(context, exchange));
  }

  #stagesOf(route: Route): readonly Stage[] {
    let stages = this.#stages.get(route);
    if (stages === undefined) {
      stages = route.stages.filter((stage) => !GUARDED.has(stage.name));
      this.#stages.set(route, stages);
    }
    return stages;
  }
}

function proceed(context: ExecutionContext, exchange: Exchange): true {
  if (exchange.cancelled !== undefined) throw exchange.cancelled;
  if (exchange.deadlineAt !== Infinity) leaveBehind(context.switchToHttp().getResponse(), exchange);
  return true;
}

// A handler that does not watch the deadline itself is left behind when it passes; what it answers then is dropped.
function leaveBehind(reply: FastifyReply, exchange: Exchange): void {
  exchange.onCancel((reason) => {
    if (reply.sent) return;
    reply.hijack();
    renderProblem(exchange, reason);
  });
}

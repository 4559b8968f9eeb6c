import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { map, Observable } from 'rxjs';
import { exchangeOf } from '../exchange/exchange-of.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { guarded } from '../policies/circuit-breaker/circuit-breaker.interceptor.ts';
import { HandlerBreakStage } from '../policies/circuit-breaker/circuit-breaker.stage.ts';
import { enterStages, type Stage } from '../policies/stage.ts';
import type { Route } from '../routing/route.ts';

const GUARDED: ReadonlySet<string> = new Set(['identify', 'authorize']);

/** The stages of a route that sit around its handler: all but those that guards run. */
export function aroundStages(route: Route): readonly Stage[] {
  return route.stages.filter((stage) => !GUARDED.has(stage.name));
}

/**
 * The one interceptor of the code-first door: limit, size, deadline, transform and break around a handler.
 * It is seated only on handlers that declare one of them, because every interceptor costs about as much as the
 * rest of the framework together.
 */
@Injectable()
export class PipelineInterceptor implements NestInterceptor {
  readonly #around = new WeakMap<Route, readonly Stage[]>();

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const exchange = exchangeOf(context);
    const { route } = exchange;
    if (route === undefined) return next.handle();
    await enterStages(this.#stagesOf(route), exchange);
    if (exchange.cancelled !== undefined) throw exchange.cancelled;
    const stage = route.seats.break;
    const handled = stage instanceof HandlerBreakStage ? guarded(stage, exchange, next) : next.handle();
    return transformed(route, exchange, cancellable(exchange, handled));
  }

  #stagesOf(route: Route): readonly Stage[] {
    let stages = this.#around.get(route);
    if (stages === undefined) this.#around.set(route, (stages = aroundStages(route)));
    return stages;
  }
}

// A handler that does not watch the deadline itself is left behind when it passes.
function cancellable(exchange: Exchange, handled: Observable<unknown>): Observable<unknown> {
  return new Observable((subscriber) => {
    exchange.onCancel((reason) => subscriber.error(reason));
    return handled.subscribe(subscriber);
  });
}

function transformed(route: Route, exchange: Exchange, handled: Observable<unknown>): Observable<unknown> {
  const editing = route.leaving.filter((stage) => stage.body !== undefined);
  if (editing.length === 0) return handled;
  return handled.pipe(
    map((value) => editing.reduce((edited, stage) => stage.body?.(exchange, edited), value)),
  );
}

import { Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { exchangeOf } from '../exchange/exchange-of.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { RouteTable } from '../routing/route-table.ts';
import { handlerRouteId } from '../routing/sources/controller.route-source.ts';
import type { Route } from '../routing/route.ts';

/**
 * Stage 1 for the code-first door: Fastify found the handler, this finds the handler's route. The stages that come
 * before the body were entered for the route that the hook took it for; another one's do not count.
 */
@Injectable()
export class MatchGuard implements CanActivate {
  readonly #routes = new Map<Type, Map<unknown, Route | undefined>>();

  constructor(private readonly table: RouteTable) {}

  canActivate(context: ExecutionContext): boolean {
    const exchange = exchangeOf(context);
    // A resolver's exchange was matched by the route of the GraphQL door.
    if (exchange.route !== undefined && context.getType<string>() !== 'http') return true;
    const route = this.#find(context.getClass(), context.getHandler());
    // Fail closed: a handler that the table does not know has no policies that could protect it.
    const isAnother = route === undefined || (exchange.route ?? route) !== route;
    if (isAnother || this.#isOfAnother(exchange, route)) {
      exchange.route = undefined;
      throw new Problem('route-not-found');
    }
    exchange.route = route;
    return true;
  }

  // Fails closed: Fastify knows neither that a path with a slash at its end belongs to the one without, nor the routes
  // of the file, which may be more specific than the `*` of a controller.
  #isOfAnother(exchange: Exchange, { id, pattern }: Route): boolean {
    const isDoubtful = pattern.wildcard || (exchange.path.endsWith('/') && exchange.path.length > 1);
    return isDoubtful && this.table.peek(exchange)?.id !== id;
  }

  #find(controller: Type, handler: { readonly name: string }): Route | undefined {
    let routes = this.#routes.get(controller);
    if (routes === undefined) this.#routes.set(controller, (routes = new Map()));
    if (!routes.has(handler)) routes.set(handler, this.table.byId(handlerRouteId(controller, handler.name)));
    return routes.get(handler);
  }
}

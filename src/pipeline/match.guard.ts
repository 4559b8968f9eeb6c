import { Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { exchangeOf } from '../exchange/exchange-of.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { handlerRouteId } from '../routing/sources/controller.route-source.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { Route } from '../routing/route.ts';
import { Snapshots } from '../snapshot/snapshots.ts';

/**
 * Stage 1 for the code-first door: Fastify found the handler, this finds the handler's route. The stages that come
 * before the body were entered for the route that the hook took it for; another one's do not count.
 */
@Injectable()
export class MatchGuard implements CanActivate {
  readonly #ids = new Map<Type, Map<unknown, string>>();

  constructor(private readonly snapshots: Snapshots) {}

  canActivate(context: ExecutionContext): boolean {
    const exchange = exchangeOf(context);
    // A resolver's exchange was matched by the route of the GraphQL door.
    if (exchange.route !== undefined && context.getType<string>() !== 'http') return true;
    const { table } = this.snapshots.for(exchange);
    const route = table.byId(this.#idOf(context.getClass(), context.getHandler()));
    // Fail closed: a handler that the table does not know has no policies that could protect it.
    const isAnother = route === undefined || (exchange.route ?? route) !== route;
    if (isAnother || isOfAnother(exchange, route, table)) {
      exchange.route = undefined;
      throw new Problem('route-not-found');
    }
    exchange.route = route;
    return true;
  }

  #idOf(controller: Type, handler: { readonly name: string }): string {
    let ids = this.#ids.get(controller);
    if (ids === undefined) this.#ids.set(controller, (ids = new Map()));
    let id = ids.get(handler);
    if (id === undefined) ids.set(handler, (id = handlerRouteId(controller, handler.name)));
    return id;
  }
}

// Fails closed: Fastify knows neither that a path with a slash at its end belongs to the one without, nor the routes
// of the file, which may be more specific than the `*` of a controller.
function isOfAnother(exchange: Exchange, { id, pattern }: Route, table: RouteTable): boolean {
  const isDoubtful = pattern.wildcard || (exchange.path.endsWith('/') && exchange.path.length > 1);
  return isDoubtful && table.peek(exchange)?.id !== id;
}

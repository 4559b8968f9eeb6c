import { Injectable, type Type } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { APP_GUARD, DiscoveryService } from '@nestjs/core';
import { handlerRouteId, handlersOf } from '../routing/sources/controller.route-source.ts';
import { AnswerGuard } from './answer.guard.ts';

/** Puts the guard that comes last on the handlers that have guards of their own, and on no other. */
@Injectable()
export class SeatedGuards {
  readonly #guard = new AnswerGuard();
  readonly #handlers = new WeakSet<object>();
  readonly #ids = new Set<string>();

  constructor(private readonly discovery: DiscoveryService) {}

  /**
   * Seats the guard; must run before Nest builds its routes.
   *
   * @param own the module whose guards are the gateway's, for all handlers.
   */
  seat(own: Type): void {
    // Fails closed: a team's guard that stands for all handlers stands for each of them.
    const isEverybody = this.discovery
      .getProviders()
      .some(({ token, host }) => String(token).startsWith(APP_GUARD) && host?.metatype !== own);
    for (const { metatype } of this.discovery.getControllers()) {
      if (!metatype) continue;
      for (const [name, handler] of handlersOf(metatype as Type))
        if (isEverybody || hasGuards(metatype) || hasGuards(handler) || this.#handlers.has(handler))
          this.#seat(handler, handlerRouteId(metatype as Type, name));
    }
  }

  /** Whether the handler of a route has guards of its own. */
  hasRoute(id: string): boolean {
    return this.#ids.has(id);
  }

  /** The same of the handler itself. */
  has(handler: object): boolean {
    return this.#handlers.has(handler);
  }

  #seat(handler: object, id: string): void {
    this.#ids.add(id);
    if (this.#handlers.has(handler)) return;
    this.#handlers.add(handler);
    const guards = (Reflect.getMetadata(GUARDS_METADATA, handler) ?? []) as readonly unknown[];
    const others = guards.filter((one) => !(one instanceof AnswerGuard));
    Reflect.defineMetadata(GUARDS_METADATA, [...others, this.#guard], handler);
  }
}

function hasGuards(target: object): boolean {
  const guards = Reflect.getMetadata(GUARDS_METADATA, target) as readonly unknown[] | undefined;
  return guards !== undefined && guards.some((one) => !(one instanceof AnswerGuard));
}

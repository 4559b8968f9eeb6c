import { Injectable, type Type } from '@nestjs/common';
import {
  INTERCEPTORS_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { DiscoveryService } from '@nestjs/core';
import { TransformInterceptor } from '../policies/transform/transform.interceptor.ts';
import { handlerRouteId } from '../routing/sources/controller.route-source.ts';
import type { Route } from '../routing/route.ts';
import { RouteTable } from '../routing/route-table.ts';

/** Puts an interceptor on the handlers whose answers a policy edits, and on no other: each one costs about 16 us. */
@Injectable()
export class SeatedInterceptors {
  // A handler that two controllers inherit is one function: what one of them needs stays, and costs the other little.
  readonly #handlers = new Set<object>();

  constructor(
    private readonly table: RouteTable,
    private readonly interceptor: TransformInterceptor,
    private readonly discovery: DiscoveryService,
  ) {}

  /**
   * Seats the interceptor; must run before Nest builds its routes. Returns the table it went by.
   *
   * @throws {Error} for a handler that would send its answer past the interceptor.
   */
  seat(): RouteTable {
    for (const { metatype } of this.discovery.getControllers()) {
      if (metatype) this.#seatOn(metatype as Type);
    }
    return this.table;
  }

  #seatOn(controller: Type): void {
    const prototype = controller.prototype as Record<string, unknown>;
    for (const name of namesOf(prototype)) {
      const route = this.table.byId(handlerRouteId(controller, name));
      const handler = route && prototype[name];
      if (typeof handler !== 'function') continue;
      const others = interceptorsOf(handler).filter((one) => !(one instanceof TransformInterceptor));
      if (editsBody(route as Route)) {
        refuseOwnAnswer(controller, name);
        this.#handlers.add(handler);
      }
      const seated = this.#handlers.has(handler) ? [this.interceptor, ...others] : others;
      Reflect.defineMetadata(INTERCEPTORS_METADATA, seated, handler);
    }
  }
}

/** How Nest notes that a handler takes the response, or what comes after it, as a parameter. */
const SENDS_ITSELF = /^[12]:/;

// Fails closed: nobody would mask what such a handler sends.
function refuseOwnAnswer(controller: Type, name: string): void {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as object;
  const isPassed = Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, name) === true;
  if (isPassed || !Object.keys(parameters).some((key) => SENDS_ITSELF.test(key))) return;
  throw new Error(
    `${controller.name}.${name}: \`maskFields\` cannot mask what a handler sends itself; return it, or use @Res({ passthrough: true })`,
  );
}

function editsBody(route: Route): boolean {
  return route.leaving.some((stage) => stage.body !== undefined);
}

/** The names of all methods, inherited ones too: their routes have policies as well. */
function namesOf(prototype: object): Set<string> {
  const names = new Set<string>();
  for (let at = prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  return names;
}

function interceptorsOf(handler: object): unknown[] {
  return (Reflect.getMetadata(INTERCEPTORS_METADATA, handler) as unknown[] | undefined) ?? [];
}

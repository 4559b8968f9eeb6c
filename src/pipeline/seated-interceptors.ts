import { Injectable, type Type } from '@nestjs/common';
import {
  INTERCEPTORS_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
  SSE_METADATA,
} from '@nestjs/common/constants.js';
import { DiscoveryService } from '@nestjs/core';
import type { ConfigFault } from '../config/config-fault.ts';
import { TransformInterceptor } from '../policies/transform/transform.interceptor.ts';
import { handlerRouteId, handlersOf } from '../routing/sources/controller.route-source.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { SeatedGuards } from './seated-guards.ts';

/** Puts an interceptor on the handlers whose answers are sent piece by piece, and on no other: each one costs about 16 us. */
@Injectable()
export class SeatedInterceptors {
  constructor(
    private readonly interceptor: TransformInterceptor,
    private readonly discovery: DiscoveryService,
    readonly guards: SeatedGuards,
  ) {}

  /**
   * Seats the interceptor, and the guard that comes last; must run before Nest builds its routes.
   *
   * @param own the module whose guards are the gateway's, for all handlers.
   */
  seat(own: Type): void {
    this.guards.seat(own);
    for (const [, , handler] of this.#handlers()) {
      if (Reflect.getMetadata(SSE_METADATA, handler) !== true) continue;
      const others = interceptorsOf(handler).filter((one) => !(one instanceof TransformInterceptor));
      Reflect.defineMetadata(INTERCEPTORS_METADATA, [this.interceptor, ...others], handler);
    }
  }

  /** The handlers that would send their answers past every edit, although the table wants one. */
  faultsOf(table: RouteTable): ConfigFault[] {
    return this.#handlers().flatMap(([controller, name]) => {
      const route = table.byId(handlerRouteId(controller, name));
      const isEdited = route?.leaving.some((stage) => stage.body !== undefined) === true;
      if (!isEdited || !sendsItself(controller, name)) return [];
      const message = `${controller.name}.${name}: \`maskFields\` cannot mask, and neither \`body\` nor \`template\` edit, what a handler sends itself; return it, use @Res({ passthrough: true }), or say @Transform('off')`;
      return [{ file: route?.origin ?? controller.name, key: 'policies.transform', message }];
    });
  }

  #handlers(): (readonly [Type, string, object])[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      if (!metatype) return [];
      return handlersOf(metatype as Type).map(
        ([name, handler]) => [metatype as Type, name, handler] as const,
      );
    });
  }
}

/** How Nest notes that a handler takes the response, or what comes after it, as a parameter. */
const SENDS_ITSELF = /^[12]:/;

// Fails closed: nobody would mask what such a handler sends.
function sendsItself(controller: Type, name: string): boolean {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as object;
  const isPassed = Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, name) === true;
  return !isPassed && Object.keys(parameters).some((key) => SENDS_ITSELF.test(key));
}

function interceptorsOf(handler: object): unknown[] {
  return (Reflect.getMetadata(INTERCEPTORS_METADATA, handler) as unknown[] | undefined) ?? [];
}

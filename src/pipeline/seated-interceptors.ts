import { Injectable, type Type } from '@nestjs/common';
import { INTERCEPTORS_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService } from '@nestjs/core';
import { handlerRouteId } from '../routing/sources/controller.route-source.ts';
import { RouteTable } from '../routing/route-table.ts';
import { aroundStages, PipelineInterceptor } from './pipeline.interceptor.ts';

/** Puts the pipeline's interceptor on the handlers that declare a policy for it, and on no other. */
@Injectable()
export class SeatedInterceptors {
  constructor(
    private readonly table: RouteTable,
    private readonly interceptor: PipelineInterceptor,
    private readonly discovery: DiscoveryService,
  ) {}

  /** Seats the interceptor; must run before Nest builds its routes. Returns the table it went by. */
  seat(): RouteTable {
    for (const { metatype } of this.discovery.getControllers()) {
      if (metatype) this.#seatOn(metatype as Type);
    }
    return this.table;
  }

  #seatOn(controller: Type): void {
    const prototype = controller.prototype as Record<string, unknown>;
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const handler = prototype[name];
      const route = this.table.byId(handlerRouteId(controller, name));
      if (typeof handler !== 'function' || route === undefined) continue;
      const others = interceptorsOf(handler).filter((one) => !(one instanceof PipelineInterceptor));
      const seated = aroundStages(route).length > 0 ? [this.interceptor, ...others] : others;
      Reflect.defineMetadata(INTERCEPTORS_METADATA, seated, handler);
    }
  }
}

function interceptorsOf(handler: object): unknown[] {
  return (Reflect.getMetadata(INTERCEPTORS_METADATA, handler) as unknown[] | undefined) ?? [];
}

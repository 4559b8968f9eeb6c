import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { GATEWAY_SOURCE } from '../config/tokens.ts';
import { STAGE_FACTORIES, type StageFactory } from '../policies/stage.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { UpstreamsModule } from '../upstreams/upstreams.module.ts';
import type { RouteDefinition } from './route.ts';
import { RouteTable } from './route-table.ts';
import { buildRouteTable, type GatewaySource } from './table-builder.ts';

/** Provides the route table of both doors. */
@Global()
@Module({})
export class RoutingModule {
  /** @param definitions routes that neither YAML nor a controller declares. */
  static forRoot(definitions: (source: GatewaySource) => readonly RouteDefinition[]): DynamicModule {
    return {
      module: RoutingModule,
      imports: [DiscoveryModule, UpstreamsModule],
      providers: [
        {
          provide: RouteTable,
          useFactory: (
            source: GatewaySource,
            factories: readonly StageFactory[],
            upstreams: UpstreamRegistry,
            metrics: Metrics,
            discovery: DiscoveryService,
          ) => {
            const controllers = discovery
              .getControllers()
              .flatMap(({ metatype }) => (metatype ? [metatype as Type] : []));
            return buildRouteTable({
              source,
              factories,
              upstreams,
              metrics,
              controllers,
              definitions: definitions(source),
            });
          },
          inject: [GATEWAY_SOURCE, STAGE_FACTORIES, UpstreamRegistry, Metrics, DiscoveryService],
        },
      ],
      exports: [RouteTable, UpstreamsModule],
    };
  }
}

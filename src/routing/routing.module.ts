import {
  Global,
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Type,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { GATEWAY_SOURCE } from '../config/tokens.ts';
import { STAGE_FACTORIES, type StageFactory } from '../policies/stage.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { UpstreamsModule } from '../upstreams/upstreams.module.ts';
import { fallThroughs } from './fall-through.ts';
import { ReflectedRoutes } from './reflected-routes.ts';
import type { RouteDefinition } from './route.ts';
import { RouteTable } from './route-table.ts';
import { buildRouteTable, type GatewaySource } from './table-builder.ts';

type CompileParts = [GatewaySource, readonly StageFactory[], UpstreamRegistry, Metrics];

/** Provides the route table of both doors. */
@Global()
@Module({})
export class RoutingModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly reflected: ReflectedRoutes,
    private readonly table: RouteTable,
    @Inject(GATEWAY_SOURCE) private readonly source: GatewaySource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Warns, and asks upstreams for their methods once everything else is ready; nothing waits for them. */
  onApplicationBootstrap(): void {
    for (const { message, ...place } of fallThroughs(this.table, this.source)) {
      this.logger.warn(place, message);
    }
    this.reflected.start();
  }

  onApplicationShutdown(): void {
    this.reflected.stop();
  }

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
        {
          provide: ReflectedRoutes,
          useFactory: (table: RouteTable, grpc: GrpcCaller, logger: Logger, ...rest: CompileParts) => {
            const [source, factories, upstreams, metrics] = rest;
            const { channels } = grpc;
            return new ReflectedRoutes({ table, channels, logger, source, factories, upstreams, metrics });
          },
          inject: [
            RouteTable,
            GrpcCaller,
            LOGGER,
            GATEWAY_SOURCE,
            STAGE_FACTORIES,
            UpstreamRegistry,
            Metrics,
          ],
        },
      ],
      exports: [RouteTable, UpstreamsModule],
    };
  }
}

import {
  Global,
  Inject,
  Module,
  Optional,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Type,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ModulesContainer } from '@nestjs/core';
import type { ConfigFault } from '../config/config-fault.ts';
import { DRY_RUN, GATEWAY_SOURCE } from '../config/tokens.ts';
import type { Constructor } from '../policies/placements.ts';
import { STAGE_FACTORIES, type StageFactory } from '../policies/stage.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { UpstreamsModule } from '../upstreams/upstreams.module.ts';
import { BootFaults } from './boot-faults.ts';
import { FallThroughReport } from './fall-through-report.ts';
import { ReflectedRoutes } from './reflected-routes.ts';
import type { RouteDefinition } from './route.ts';
import { RouteTable } from './route-table.ts';
import { strayPolicies } from './sources/controller-faults.ts';
import { buildRouteTable, type GatewaySource } from './table-builder.ts';

type CompileParts = [GatewaySource, readonly StageFactory[], UpstreamRegistry, Metrics];

/** Provides the route table of both doors. */
@Global()
@Module({})
export class RoutingModule implements OnApplicationBootstrap, OnApplicationShutdown {
  @Optional() @Inject(DRY_RUN) private readonly isDryRun: boolean = false;

  constructor(
    private readonly reflected: ReflectedRoutes,
    private readonly faults: BootFaults,
    private readonly fallThroughs: FallThroughReport,
    private readonly discovery: DiscoveryService,
    private readonly modules: ModulesContainer,
  ) {}

  /**
   * Warns, and asks upstreams for their methods once everything else is ready; nothing waits for them.
   *
   * @throws {ConfigError} with everything that was found while the application was put together: nothing listens then.
   */
  onApplicationBootstrap(): void {
    const classes = [
      ...this.discovery.getProviders().flatMap(classesOf),
      ...[...this.modules.values()].map(({ metatype }) => metatype),
    ];
    this.faults.add(strayPolicies(classes.filter((one) => !this.faults.isExamined(one))));
    this.faults.refuse();
    this.fallThroughs.warn();
    if (!this.isDryRun) this.reflected.start();
  }

  onApplicationShutdown(): void {
    this.reflected.stop();
  }

  /**
   * @param definitions routes that neither YAML nor a controller declares.
   * @param faults what is known already to keep the gateway from starting.
   */
  static forRoot(
    definitions: (source: GatewaySource) => readonly RouteDefinition[],
    faults: readonly ConfigFault[] = [],
  ): DynamicModule {
    return {
      module: RoutingModule,
      imports: [DiscoveryModule, UpstreamsModule],
      providers: [
        FallThroughReport,
        { provide: BootFaults, useFactory: () => new BootFaults(faults) },
        {
          provide: RouteTable,
          useFactory: (
            source: GatewaySource,
            factories: readonly StageFactory[],
            upstreams: UpstreamRegistry,
            metrics: Metrics,
            ...[discovery, faults]: [DiscoveryService, BootFaults]
          ) => {
            const controllers = discovery
              .getControllers()
              .flatMap(({ metatype }) => (metatype ? [metatype as Type] : []));
            for (const controller of controllers) faults.examined(controller);
            const parts = { source, factories, upstreams, metrics, controllers };
            return buildRouteTable({ ...parts, definitions: definitions(source) }, faults);
          },
          inject: [GATEWAY_SOURCE, STAGE_FACTORIES, UpstreamRegistry, Metrics, DiscoveryService, BootFaults],
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
      exports: [RouteTable, BootFaults, UpstreamsModule],
    };
  }
}

// By what there is as well as by how it was provided: a factory can make anything.
function classesOf({ instance, metatype }: { instance?: unknown; metatype: unknown }): Constructor[] {
  const made: unknown = (instance as object | null | undefined)?.constructor;
  return [made, metatype].filter((one) => typeof one === 'function') as Constructor[];
}

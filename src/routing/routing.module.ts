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
import { Metrics } from '../telemetry/metrics.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { UpstreamsModule } from '../upstreams/upstreams.module.ts';
import { BootFaults } from './boot-faults.ts';
import { FallThroughReport } from './fall-through-report.ts';
import { TableRoutes } from './live-routes.ts';
import { ACTION_KINDS, type ActionKind } from './route-action.ts';
import type { RouteDefinition } from './route.ts';
import { RouteTable } from './route-table.ts';
import { strayPolicies } from './sources/controller-faults.ts';
import { buildRouteTable, type GatewaySource } from './table-builder.ts';

type CompileParts = [
  GatewaySource,
  readonly StageFactory[],
  readonly ActionKind[],
  UpstreamRegistry,
  Metrics,
];
const COMPILE_PARTS = [GATEWAY_SOURCE, STAGE_FACTORIES, ACTION_KINDS, UpstreamRegistry, Metrics] as const;

/** Provides the route table of both doors. */
@Global()
@Module({})
export class RoutingModule implements OnApplicationBootstrap, OnApplicationShutdown {
  @Optional() @Inject(DRY_RUN) private readonly isDryRun: boolean = false;

  constructor(
    private readonly routes: TableRoutes,
    private readonly faults: BootFaults,
    private readonly fallThroughs: FallThroughReport,
    private readonly discovery: DiscoveryService,
    private readonly modules: ModulesContainer,
  ) {}

  /**
   * Warns, and starts the kinds of actions once everything else is ready; nothing waits for them.
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
    if (!this.isDryRun) this.routes.start();
  }

  onApplicationShutdown(): void {
    this.routes.stop();
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
          useFactory: (discovery: DiscoveryService, faults: BootFaults, ...given: CompileParts) => {
            const controllers = discovery
              .getControllers()
              .flatMap(({ metatype }) => (metatype ? [metatype as Type] : []));
            for (const controller of controllers) faults.examined(controller);
            const parts = { ...partsOf(given), controllers };
            return buildRouteTable({ ...parts, definitions: definitions(parts.source) }, faults);
          },
          inject: [DiscoveryService, BootFaults, ...COMPILE_PARTS],
        },
        {
          provide: TableRoutes,
          useFactory: (table: RouteTable, ...given: CompileParts) => new TableRoutes(table, partsOf(given)),
          inject: [RouteTable, ...COMPILE_PARTS],
        },
      ],
      exports: [RouteTable, BootFaults, UpstreamsModule],
    };
  }
}

function partsOf([source, factories, actions, upstreams, metrics]: CompileParts) {
  return { source, factories, actions, upstreams, metrics };
}

// By what there is as well as by how it was provided: a factory can make anything.
function classesOf({ instance, metatype }: { instance?: unknown; metatype: unknown }): Constructor[] {
  const made: unknown = (instance as object | null | undefined)?.constructor;
  return [made, metatype].filter((one) => typeof one === 'function') as Constructor[];
}

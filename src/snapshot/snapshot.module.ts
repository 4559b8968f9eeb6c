import {
  Global,
  Inject,
  Module,
  Optional,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ModulesContainer } from '@nestjs/core';
import { AuditTrail } from '../audit/audit-trail.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import { ADAPT_SOURCE, DRY_RUN, GATEWAY_SOURCE } from '../config/tokens.ts';
import type { Constructor } from '../policies/placements.ts';
import { BootFaults } from '../routing/boot-faults.ts';
import { ACTION_KINDS, type ActionKind } from '../routing/route-action.ts';
import type { RouteDefinition } from '../routing/route.ts';
import { strayPolicies } from '../routing/sources/controller-faults.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { Upstreams } from '../upstreams/upstreams.ts';
import { UpstreamsModule } from '../upstreams/upstreams.module.ts';
import { compilerProvider } from './compiler.provider.ts';
import { logWarnings } from './config-warnings.ts';
import { HeldUpstreams } from './held-upstreams.ts';
import { logLeftOut } from './left-out.ts';
import { Reloads, type ReloadsDeps } from './reloads.ts';
import { SnapshotCompiler } from './snapshot-compiler.ts';
import { Snapshots } from './snapshots.ts';

/** What is wrong with a configuration besides its routes. */
export type SourceCheck = (source: GatewaySource) => readonly ConfigFault[];

/** Provides the snapshot that is in force, and puts others in its place. */
@Global()
@Module({})
export class SnapshotModule implements OnApplicationBootstrap, OnApplicationShutdown {
  @Optional() @Inject(DRY_RUN) private readonly isDryRun: boolean = false;
  @Inject(LOGGER) private readonly logger!: Logger;

  constructor(
    private readonly snapshots: Snapshots,
    private readonly reloads: Reloads,
    private readonly faults: BootFaults,
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
    logWarnings(this.snapshots.current, this.logger);
    logLeftOut(this.snapshots.current.source, this.logger);
    if (!this.isDryRun) this.snapshots.start();
  }

  /** Runs after the last exchange has ended. */
  async onApplicationShutdown(): Promise<void> {
    this.reloads.close();
    await this.snapshots.close();
  }

  /**
   * @param definitions routes that neither YAML nor a controller declares.
   * @param faultsOf what keeps a gateway with this configuration from starting, besides its routes.
   */
  static forRoot(
    definitions: (source: GatewaySource) => readonly RouteDefinition[],
    faultsOf: SourceCheck = () => [],
  ): DynamicModule {
    return {
      module: SnapshotModule,
      imports: [DiscoveryModule, UpstreamsModule],
      providers: [
        {
          provide: BootFaults,
          useFactory: (source: GatewaySource) => new BootFaults(faultsOf(source)),
          inject: [GATEWAY_SOURCE],
        },
        compilerProvider(definitions),
        {
          provide: Snapshots,
          useFactory: (...[compiler, source, faults, upstreams]: SnapshotsArguments) => {
            const snapshots = new Snapshots(compiler.first(source, faults));
            snapshots.checkSource(faultsOf);
            upstreams.are(snapshots);
            return snapshots;
          },
          inject: [SnapshotCompiler, GATEWAY_SOURCE, BootFaults, HeldUpstreams],
        },
        HeldUpstreams,
        { provide: Upstreams, useExisting: HeldUpstreams },
        {
          provide: Reloads,
          useFactory: (...[snapshots, compiler, actions, logger, metrics, audit, adapt]: ReloadsArguments) =>
            new Reloads({ snapshots, compiler, actions, logger, metrics, audit, adapt }),
          inject: [
            Snapshots,
            SnapshotCompiler,
            ACTION_KINDS,
            LOGGER,
            Metrics,
            { token: AuditTrail, optional: true },
            { token: ADAPT_SOURCE, optional: true },
          ],
        },
      ],
      exports: [Snapshots, Upstreams, Reloads, BootFaults, UpstreamsModule],
    };
  }
}

type SnapshotsArguments = [SnapshotCompiler, GatewaySource, BootFaults, HeldUpstreams];
type ReloadsArguments = [
  Snapshots,
  SnapshotCompiler,
  readonly ActionKind[],
  Logger,
  Metrics,
  AuditTrail | undefined,
  ReloadsDeps['adapt'],
];

// By what there is as well as by how it was provided: a factory can make anything.
function classesOf({ instance, metatype }: { instance?: unknown; metatype: unknown }): Constructor[] {
  const made: unknown = (instance as object | null | undefined)?.constructor;
  return [made, metatype].filter((one) => typeof one === 'function') as Constructor[];
}

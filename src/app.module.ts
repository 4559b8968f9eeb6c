import { Global, Module, type DynamicModule } from '@nestjs/common';
import { keySetRoutes } from './answers/key-set.action.ts';
import { quotasRoutes } from './answers/quotas-route.ts';
import { RESTART, type RestartBegin } from './admin/admin-orders.ts';
import { AdminModule } from './admin/admin.module.ts';
import { AuditModule } from './audit/audit.module.ts';
import { graphqlRoute } from './bff/graphql/door/graphql.route.ts';
import { declaredFaults } from './calls/declared-faults.ts';
import type { Environment } from './config/env.schema.ts';
import type { ConfigFault } from './config/config-fault.ts';
import { switchedOn, type GatewayModule } from './config/gateway-module.ts';
import { ADAPT_SOURCE, DRY_RUN, ENVIRONMENT, GATEWAY_SOURCE, TICKET_SECRET } from './config/tokens.ts';
import { ContractsModule } from './contracts/contracts.module.ts';
import { HealthModule } from './health/health.module.ts';
import { loginRoutes } from './login/login-routes.ts';
import { ActionsModule } from './pipeline/actions.ts';
import { PipelineModule } from './pipeline/pipeline.module.ts';
import { ProxyModule } from './proxy/proxy.module.ts';
import { RecordModule } from './record/record.module.ts';
import type { RouteDefinition } from './routing/route.ts';
import { CONFIG_DESK, type ConfigDesk } from './snapshot/config-desk.ts';
import { SnapshotModule } from './snapshot/snapshot.module.ts';
import type { GatewaySource } from './routing/table-builder.ts';
import { SigningModule } from './signing/signing.module.ts';
import { StoreModule } from './store/store.module.ts';
import type { Logger } from './telemetry/logger.ts';
import { TelemetryModule } from './telemetry/telemetry.module.ts';
import { TracingModule } from './tracing/tracing.module.ts';
import { TrafficModule } from './traffic/traffic.module.ts';

/** What a gateway is built from. */
export interface GatewayOptions {
  readonly environment: Environment;
  readonly source: GatewaySource;
  /** What `modules:` of the configuration can name. Default none. */
  readonly modules?: readonly GatewayModule[];
  /** Default: lines of JSON on standard output, at the level of the environment. */
  readonly logger?: Logger;
  /** Whether the gateway is only to be checked; see `DRY_RUN`. Default false. */
  readonly dryRun?: boolean;
  /** What is made of each configuration that is read later, as whoever calls has made `source`. Default nothing. */
  readonly adapt?: ((source: GatewaySource) => GatewaySource) | undefined;
  /** For one of several processes that share their listeners, and have one operators' listener in front of them. */
  readonly worker?: WorkerOptions | undefined;
}

/** What one of several processes is told. */
export interface WorkerOptions {
  /** All of them make keys of session tickets from it. */
  readonly ticketSecret: Buffer;
  /** Has all of them restarted, one after the other, in the words of who has ordered it. */
  readonly restart: (by: string) => Promise<RestartBegin>;
  /** What is known of configurations for all of them. */
  readonly config: ConfigDesk;
}

@Global()
@Module({})
class ConfigModule {
  static forRoot({ environment, source, dryRun = false, worker, adapt }: GatewayOptions): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: ENVIRONMENT, useValue: environment },
        { provide: GATEWAY_SOURCE, useValue: source },
        { provide: DRY_RUN, useValue: dryRun },
        { provide: ADAPT_SOURCE, useFactory: () => adapt },
        { provide: TICKET_SECRET, useFactory: () => worker?.ticketSecret },
        { provide: RESTART, useFactory: () => worker?.restart },
        { provide: CONFIG_DESK, useFactory: () => worker?.config },
      ],
      exports: [ENVIRONMENT, GATEWAY_SOURCE, ADAPT_SOURCE, DRY_RUN, TICKET_SECRET, RESTART, CONFIG_DESK],
    };
  }
}

/** The rooms of the gateway, and the modules that its configuration switches on. */
@Module({})
export class AppModule {
  static async forRoot(options: GatewayOptions & { readonly logger: Logger }): Promise<DynamicModule> {
    const { environment, source, logger } = options;
    const production = environment.mode === 'production';
    const offered = options.modules ?? [];
    // Those are fixed here; their upstreams may change with every configuration.
    const { modules } = switchedOn(offered, source);
    const faultsOf = (candidate: GatewaySource): readonly ConfigFault[] => [
      ...switchedOn(offered, candidate).faults,
      ...declaredFaults(offered, modules, candidate.value.upstreams),
    ];
    const graphql = modules.some((one) => one.graphql);
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(options),
        TelemetryModule.forRoot(logger, environment.metricsMaxSeries),
        TracingModule.forRoot(options.dryRun === true ? undefined : environment.otel),
        AuditModule,
        StoreModule.forRoot({
          redisUrl: environment.redisUrl,
          access: environment.redisAccess,
          budgetMs: environment.redisTimeoutMs,
          log: logger,
        }),
        HealthModule,
        RecordModule,
        TrafficModule,
        PipelineModule,
        ActionsModule,
        SigningModule,
        SnapshotModule.forRoot(
          (candidate) => [
            ...loginRoutes(candidate.value.identity?.login),
            ...(graphql ? [graphqlDoor(candidate)] : []),
            ...keySetRoutes(candidate.value),
            ...quotasRoutes(candidate.value),
          ],
          faultsOf,
        ),
        ProxyModule,
        AdminModule,
        ...(graphql ? [await graphqlModule(production)] : []),
        ContractsModule.forRoot({
          config: source.value.contracts,
          production,
        }),
        ...modules.map(({ module }) => module),
      ],
    };
  }
}

// GraphQL is a third of all code that there is to load; only gateways that have it wait for that.
async function graphqlModule(production: boolean): Promise<DynamicModule> {
  const { BffModule } = await import('./bff/bff.module.ts');
  return BffModule.forRoot({ production });
}

function graphqlDoor({ value }: GatewaySource): RouteDefinition {
  return graphqlRoute(value.graphql.policies, value.defaults.policies);
}

import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.ts';
import { BffModule } from './bff/bff.module.ts';
import { graphqlRoute } from './bff/graphql/graphql.route.ts';
import type { ConfigFault } from './config/config-fault.ts';
import type { Environment } from './config/env.schema.ts';
import { DRY_RUN, ENVIRONMENT, GATEWAY_SOURCE } from './config/tokens.ts';
import { ContractsModule } from './contracts/contracts.module.ts';
import { HealthModule } from './health/health.module.ts';
import { PipelineModule } from './pipeline/pipeline.module.ts';
import { ProxyModule } from './proxy/proxy.module.ts';
import { HomepageModule } from './routes/homepage/homepage.module.ts';
import { NotificationsModule } from './routes/notifications/notifications.module.ts';
import { OrdersModule } from './routes/orders/orders.module.ts';
import type { RouteDefinition } from './routing/route.ts';
import { SnapshotModule } from './snapshot/snapshot.module.ts';
import type { GatewaySource } from './routing/table-builder.ts';
import { StoreModule } from './store/store.module.ts';
import type { Logger } from './telemetry/logger.ts';
import { TelemetryModule } from './telemetry/telemetry.module.ts';

/** What the process knows before Nest starts. */
export interface AppParts {
  readonly environment: Environment;
  readonly source: GatewaySource;
  readonly logger: Logger;
  /** Whether the gateway is only to be checked; see `DRY_RUN`. Default false. */
  readonly dryRun?: boolean;
}

@Global()
@Module({})
class ConfigModule {
  static forRoot({ environment, source, dryRun = false }: AppParts): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: ENVIRONMENT, useValue: environment },
        { provide: GATEWAY_SOURCE, useValue: source },
        { provide: DRY_RUN, useValue: dryRun },
      ],
      exports: [ENVIRONMENT, GATEWAY_SOURCE, DRY_RUN],
    };
  }
}

/** A module that a team adds. */
interface Feature {
  readonly module: Type;
  /**
   * The upstreams that it calls, and what its calls speak. A gateway whose configuration lacks one of them leaves the module
   * out; one that speaks another protocol is a fault.
   */
  readonly upstreams: Readonly<Record<string, 'http' | 'grpc'>>;
  /** Whether it adds to the GraphQL schema. */
  readonly graphql?: boolean;
}

const HOMEPAGE = { users: 'http', feed: 'http', notifications: 'grpc' } as const;

/** Teams add their modules here. */
const FEATURES: readonly Feature[] = [
  { module: OrdersModule, upstreams: { orders: 'grpc' }, graphql: true },
  { module: HomepageModule, upstreams: HOMEPAGE, graphql: true },
  // A schema of subscriptions alone is none: it needs the queries of the homepage, and so their upstreams.
  { module: NotificationsModule, upstreams: HOMEPAGE, graphql: true },
];

/** The rooms of the gateway, and the modules that teams add. */
@Module({})
export class AppModule {
  static forRoot(parts: AppParts): DynamicModule {
    const { environment, logger } = parts;
    const features = usableFeatures(parts);
    const faultsOf = (source: GatewaySource): ConfigFault[] =>
      features.flatMap((feature) => protocolFaults(feature, source));
    const graphql = features.some((feature) => feature.graphql);
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(parts),
        TelemetryModule.forRoot(logger),
        StoreModule.forRoot({ redisUrl: environment.redisUrl, log: logger }),
        HealthModule,
        PipelineModule,
        SnapshotModule.forRoot((source) => (graphql ? [graphqlDoor(source)] : []), faultsOf),
        ProxyModule,
        AdminModule,
        ...(graphql ? [BffModule.forRoot({ production: environment.mode === 'production' })] : []),
        ContractsModule.forRoot({
          config: parts.source.value.contracts,
          production: environment.mode === 'production',
        }),
        ...features.map((feature) => feature.module),
      ],
    };
  }
}

function usableFeatures({ source, logger }: AppParts): readonly Feature[] {
  return FEATURES.filter(({ module, upstreams }) => {
    const missing = Object.keys(upstreams).filter((name) => !Object.hasOwn(source.value.upstreams, name));
    if (missing.length > 0) logger.warn({ missing }, `${module.name} is left out: no such upstreams`);
    return missing.length === 0;
  });
}

function protocolFaults({ module, upstreams }: Feature, { value, document }: GatewaySource): ConfigFault[] {
  return Object.entries(upstreams).flatMap(([name, wanted]) => {
    const protocol = value.upstreams[name]?.protocol;
    if (protocol === wanted) return [];
    const message = `expected \`protocol: ${wanted}\`, which the calls of ${module.name} speak; it is ${protocol ?? 'missing'}`;
    const at = document.locate(['upstreams', name, 'protocol']);
    return [{ file: document.file, ...at, key: `upstreams[${name}].protocol`, message }];
  });
}

function graphqlDoor({ value }: GatewaySource): RouteDefinition {
  return graphqlRoute(value.graphql.policies, value.defaults.policies);
}

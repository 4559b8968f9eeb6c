import { Global, Module, type DynamicModule } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.ts';
import { BffModule } from './bff/bff.module.ts';
import { graphqlRoute } from './bff/graphql/graphql.route.ts';
import type { Environment } from './config/env.schema.ts';
import { ENVIRONMENT, GATEWAY_SOURCE } from './config/tokens.ts';
import { HealthModule } from './health/health.module.ts';
import { PipelineModule } from './pipeline/pipeline.module.ts';
import { ProxyModule } from './proxy/proxy.module.ts';
import { HomepageModule } from './routes/homepage/homepage.module.ts';
import { OrdersModule } from './routes/orders/orders.module.ts';
import { RoutingModule } from './routing/routing.module.ts';
import type { GatewaySource } from './routing/table-builder.ts';
import { StoreModule } from './store/store.module.ts';
import type { Logger } from './telemetry/logger.ts';
import { TelemetryModule } from './telemetry/telemetry.module.ts';

/** What the process knows before Nest starts. */
export interface AppParts {
  readonly environment: Environment;
  readonly source: GatewaySource;
  readonly logger: Logger;
}

@Global()
@Module({})
class ConfigModule {
  static forRoot({ environment, source }: AppParts): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: ENVIRONMENT, useValue: environment },
        { provide: GATEWAY_SOURCE, useValue: source },
      ],
      exports: [ENVIRONMENT, GATEWAY_SOURCE],
    };
  }
}

/** The rooms of the gateway, and the modules that teams add. */
@Module({})
export class AppModule {
  static forRoot(parts: AppParts): DynamicModule {
    const { environment, logger } = parts;
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(parts),
        TelemetryModule.forRoot(logger),
        StoreModule.forRoot({ redisUrl: environment.redisUrl, log: logger }),
        HealthModule,
        PipelineModule,
        RoutingModule.forRoot((source) => [
          graphqlRoute(source.value.graphql.policies, source.value.defaults.policies),
        ]),
        ProxyModule,
        AdminModule,
        BffModule.forRoot({ production: environment.mode === 'production' }),

        // Teams add their modules here.
        OrdersModule,
        HomepageModule,
      ],
    };
  }
}

import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { GraphQLModule } from '@nestjs/graphql';
import { DriverDeps, GatehouseDriver } from './graphql/door/gatehouse.driver.ts';
import type { GraphqlOptions } from './graphql/door/graphql.options.ts';
import { SchemaGuard } from './graphql/fields/schema-guard.ts';
import { ViewsModule } from './views.module.ts';

// Global, because the driver lives in a module of Nest that imports nothing of ours.
@Global()
@Module({
  imports: [DiscoveryModule, ViewsModule],
  providers: [DriverDeps, SchemaGuard],
  exports: [DriverDeps],
})
class DriverPartsModule {}

/** Opens the GraphQL door; its schema is what the resolvers of all modules declare. */
@Module({})
export class BffModule {
  static forRoot(options: GraphqlOptions = {}): DynamicModule {
    return {
      module: BffModule,
      imports: [
        ViewsModule,
        DriverPartsModule,
        GraphQLModule.forRoot<GraphqlOptions>({ ...options, driver: GatehouseDriver }),
      ],
      exports: [ViewsModule],
    };
  }
}

import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { GraphQLModule, TypeMetadataStorage } from '@nestjs/graphql';
import { LazyMetadataStorage } from '@nestjs/graphql/dist/schema-builder/storages/lazy-metadata.storage.js';
import { DriverDeps, GatehouseDriver } from './graphql/door/gatehouse.driver.ts';
import type { GraphqlOptions } from './graphql/door/graphql.options.ts';
import { SchemaGuard } from './graphql/fields/schema-guard.ts';
import { reachesFields } from '../policies/field-extension.ts';
import { ViewsModule } from './views.module.ts';

// Fails closed: a field that is made of another one by `PickType` would have lost its policies.
if (!reachesFields({ types: TypeMetadataStorage, lazy: LazyMetadataStorage }))
  throw new Error(
    'this version of @nestjs/graphql keeps its metadata elsewhere; see policies/field-extension.ts',
  );

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

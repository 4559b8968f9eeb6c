import { Module, type DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { GatehouseDriver } from './graphql/gatehouse.driver.ts';
import type { GraphqlOptions } from './graphql/graphql.options.ts';
import { ViewsModule } from './views.module.ts';

/** Opens the GraphQL door; its schema is what the resolvers of all modules declare. */
@Module({})
export class BffModule {
  static forRoot(options: GraphqlOptions = {}): DynamicModule {
    return {
      module: BffModule,
      imports: [ViewsModule, GraphQLModule.forRoot<GraphqlOptions>({ ...options, driver: GatehouseDriver })],
      exports: [ViewsModule],
    };
  }
}

import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import type { ContractsConfig } from '../routing/gateway.schema.ts';
import { ContractDocument } from './contract-document.ts';
import { contractsController } from './contracts.controller.ts';

/** What decides whether clients are told about the routes. */
export interface ContractsOptions {
  readonly config: ContractsConfig;
  readonly production: boolean;
}

/** Tells clients what there is: the OpenAPI document of both doors and a page that shows it. */
@Module({})
export class ContractsModule {
  static forRoot({ config, production }: ContractsOptions): DynamicModule {
    // Fail closed: a map of all routes is not published in production by forgetting a line.
    const isServed = config.enabled ?? !production;
    return {
      module: ContractsModule,
      imports: [DiscoveryModule],
      controllers: isServed ? [contractsController(config.policies)] : [],
      providers: [ContractDocument],
      exports: [ContractDocument],
    };
  }
}

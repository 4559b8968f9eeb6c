import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import { ConfigError } from '../../src/config/config-fault.ts';
import { checkGateway } from '../support/gateway.ts';

@Resolver()
class OneResolver {
  @Query(() => String)
  one(): string {
    return '';
  }
}

@Module({ providers: [OneResolver] })
class OneModule {}

describe('a policy that cannot hold at the door of GraphQL', () => {
  it('is told, and not that its route is missing', async () => {
    const quota = '{ limit: 5, window: day, withoutRedis: memory, byTier: { golden: 9 } }';
    const config = `
version: 1
modules: [one]
tiers: { free: { rate: 5 } }
defaults: { policies: { authentication: public, quota: ${quota} } }
`;
    const modules = [{ name: 'one', module: OneModule, graphql: true }];
    const refused = await checkGateway({ config, modules }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    expect((refused as ConfigError).faults).toMatchObject([
      { file: 'GatehouseDriver', key: 'policies.quota.byTier.golden' },
    ]);
  });
});

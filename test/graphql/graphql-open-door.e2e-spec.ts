import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Int, Query, Resolver, Subscription } from '@nestjs/graphql';
import { openSession } from '../support/graphql-sessions.ts';
import { API_KEY, useShop } from '../support/shop.ts';

@Resolver()
class OpenResolver {
  @Query(() => String)
  hello(): string {
    return 'hello';
  }
  @Subscription(() => Int)
  async *ticks(): AsyncGenerator<{ ticks: number }> {
    yield await Promise.resolve({ ticks: 1 });
  }
}

@Module({ providers: [OpenResolver] })
class OpenModule {}

const RATE = 4;
const holder = useShop({
  modules: [OpenModule],
  more: {
    modules: ['homepage'],
    trustedProxies: ['loopback'],
    graphql: {
      policies: {
        authentication: 'public',
        rateLimit: { key: 'ip', rate: RATE, per: '1h' },
      },
    },
  },
});

describe('a GraphQL door that looks at no credentials', () => {
  it.each([
    ['without', { 'x-forwarded-for': '192.0.2.1' }],
    ['with', { 'x-forwarded-for': '192.0.2.2', 'x-api-key': API_KEY }],
  ])(
    'charges a socket once for its handshake and once for each operation, %s a credential',
    async (_, headers) => {
      const session = await openSession('socket', { url: holder.shop.gateway.url, headers });
      const answers = [];
      for (let turn = 0; turn < RATE; turn += 1) answers.push(await session.ask({ query: '{ hello }' }));
      await session.close();
      expect(answers.map(({ errors }) => errors === undefined)).toEqual([true, true, true, false]);
    },
  );
});

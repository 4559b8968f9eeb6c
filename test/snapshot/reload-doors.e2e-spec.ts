import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { heldBy, reload, until } from '../support/reload.ts';
import { shopConfig, startShop, type Shop, type ShopOptions } from '../support/shop.ts';

let shop: Shop;

beforeEach(async () => {
  shop = await startShop();
});
afterEach(() => shop.stop());

/** The configuration of the shop with other keys of the top level. */
function changed(more: Record<string, unknown>, options: ShopOptions = {}): object {
  return { ...shopConfig(shop.services, shop.echo, options), ...more };
}

const ask = async (as: 'user' | 'admin'): Promise<number> => {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ query: '{ __typename }' });
  return (await shop.call('/graphql', { as, method: 'POST', headers, body })).status;
};

/** A door for administrators alone. */
const ADMINS = { graphql: { policies: { authorization: { anyRole: ['admin'] } } } };

describe('a reload at the GraphQL door', () => {
  it('holds the next request to the policies of the door', async () => {
    expect([await ask('user'), await ask('admin')]).toEqual([200, 200]);
    expect((await reload(shop.gateway, changed(ADMINS))).faults).toEqual([]);
    expect([await ask('user'), await ask('admin')]).toEqual([403, 200]);
  });

  it('leaves a socket what it was opened with, and a new one meets the new policies', async () => {
    const token = await shop.services.identity.token('user');
    const clientOf = (): ReturnType<typeof createClient> =>
      createClient({
        url: `${shop.gateway.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${token}` },
        retryAttempts: 0,
        lazyCloseTimeout: 10_000,
      });
    const first = async (client: ReturnType<typeof createClient>): Promise<unknown> =>
      (await client.iterate({ query: '{ __typename }' }).next()).value as unknown;
    const early = clientOf();
    await expect(first(early)).resolves.toMatchObject({ data: { __typename: 'Query' } });
    expect((await reload(shop.gateway, changed(ADMINS))).faults).toEqual([]);
    expect(heldBy(shop.gateway)).toBe(2);
    await expect(first(early)).resolves.toMatchObject({ data: { __typename: 'Query' } });
    const late = clientOf();
    await expect(first(late)).rejects.toMatchObject({ code: 4403 });
    await Promise.all([early.dispose(), late.dispose()]);
    await until(() => heldBy(shop.gateway) === 1);
  });

  it('is refused where the door would let masked fields pass', async () => {
    const policies = { transform: { response: { maskFields: ['internal'] } } };
    const { outcome, faults } = await reload(shop.gateway, changed({ graphql: { policies } }));
    expect(outcome).toBe('faulty');
    expect(faults[0]?.message).toContain('`maskFields` does not work on GraphQL');
  });
});

describe('a reload that the fields of the schema do not go with', () => {
  it('is refused, naming them', async () => {
    const policies = { authentication: { schemes: ['apiKey'] } };
    const { outcome, faults } = await reload(shop.gateway, changed({ graphql: { policies } }));
    expect(outcome).toBe('faulty');
    expect(faults.map(({ message }) => message)).toContain(
      'Query.order: asks for jwt, but the GraphQL door takes only apiKey',
    );
  });
});

describe('a reload of what calls are made to', () => {
  it('leads the calls of handlers to other targets', async () => {
    const orders = async () => (await shop.call('/api/v1/orders', { as: 'user' })).status;
    expect(await orders()).toBe(200);
    const upstreams = (target: string) => ({
      upstreams: () => ({ orders: { protocol: 'grpc', targets: [target], circuitBreaker: 'off' } }),
    });
    await reload(shop.gateway, changed({}, upstreams('grpc://127.0.0.1:1')));
    expect(await orders()).toBe(502);
    await reload(shop.gateway, changed({}, upstreams(shop.services.orders.url)));
    expect(await orders()).toBe(200);
  });

  it('loses none that is under way, while every target is replaced thirty times', async () => {
    const statuses = new Set<number>();
    for (let i = 0; i < 30; i += 1) {
      const asked = ['/api/homepage', '/api/v1/orders'].map((path) => shop.call(path, { as: 'user' }));
      await new Promise(setImmediate);
      const { upstreams } = changed({}) as { upstreams: Record<string, object> };
      const others = Object.entries(upstreams).map(([name, one]) => [
        name,
        { ...one, maxConnections: 50 + i },
      ]);
      expect((await reload(shop.gateway, changed({ upstreams: Object.fromEntries(others) }))).outcome).toBe(
        'reloaded',
      );
      for (const { status } of await Promise.all(asked)) statuses.add(status);
    }
    expect([...statuses]).toEqual([200]);
    await until(() => heldBy(shop.gateway) === 1);
  });

  it('is refused where a module would lose its upstream', async () => {
    const { upstreams } = changed({}) as { upstreams: Record<string, unknown> };
    const { orders: _orders, ...others } = upstreams;
    const { outcome, faults } = await reload(shop.gateway, changed({ upstreams: others }));
    expect(outcome).toBe('faulty');
    expect(faults.map(({ message }) => message).join('\n')).toContain(
      'the module "orders" calls the upstream "orders"',
    );
  });
});

describe('a reload of identity', () => {
  it('goes on without asking the issuer where nothing of it changed, and believes no token that was fine before once it is not', async () => {
    const routes = [{ id: 'closed', match: { path: '/closed' }, upstream: 'echo' }];
    const asked = async () => (await shop.call('/closed', { as: 'user' })).status;
    await reload(shop.gateway, changed({}, { routes }));
    expect(await asked()).toBe(200);
    const { identity } = changed({}, { routes }) as { identity: { apiKeys: object[]; issuers: object[] } };
    const more = { ...identity, apiKeys: [...identity.apiKeys, { sha256: '0'.repeat(64), clientId: 'b' }] };
    await reload(shop.gateway, changed({ identity: more }, { routes }));
    expect(await asked()).toBe(200);
    const strict = identity.issuers.map((issuer) => ({ ...issuer, audiences: ['others'] }));
    expect(
      (await reload(shop.gateway, changed({ identity: { ...identity, issuers: strict } }, { routes })))
        .faults,
    ).toEqual([]);
    expect(await asked()).toBe(401);
  });
});

describe('a reload of the contracts', () => {
  it('changes the document that clients get', async () => {
    const title = async () =>
      (await shop.call('/openapi.json')).json<{ info: { title: string } }>().info.title;
    expect(await title()).toBe('Gatehouse');
    await reload(shop.gateway, changed({ contracts: { title: 'Shop' } }));
    expect(await title()).toBe('Shop');
  });
});

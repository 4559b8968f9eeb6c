import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ConfigError } from '../../src/config/config-fault.ts';
import { aggregationConfig, useAggregation } from '../support/aggregation.ts';
import { startGateway } from '../support/gateway.ts';
import { useShop, type RouteInput } from '../support/shop.ts';

const behind = useAggregation();

describe('faults of an aggregated route', () => {
  async function faultsOf(routes: string): Promise<string[]> {
    try {
      await (await startGateway({ config: aggregationConfig(behind, routes) })).stop();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const first = aggregationConfig(behind, '').split('\n').length;
      return error.faults.map(({ line = 0, column, key, message, suggestion }) =>
        [`${line - first + 1}:${column}`, key, message, suggestion].filter(Boolean).join(' | '),
      );
    }
    return [];
  }

  it('are told all at once, each with its place and the nearest name', async () => {
    const faults = await faultsOf(`
  - id: bad
    match: { path: '/bad/{id}' }
    aggregate:
      calls:
        user: { upstream: user, path: '/users/{id}' }
        feed:
          upstream: feed
          path: '/feed/{usr.id}'
          required: true
          fallback: {}
        a: { upstream: feed, path: '/a/{b.id}' }
        b: { upstream: feed, path: '/b/{a.id}' }
        third: { upstream: users, path: /third }
        query: { upstream: users, path: 'relative' }
        forged: { upstream: users, path: '/{header.X_User-Id}/{principal.name}' }
        rpc: { upstream: shop, grpc: shop.v1.Orders/GetOrdr }
        input: { upstream: shop, grpc: shop.v1.Orders/GetOrder, input: { idd: '{id}' } }
        both: { upstream: shop, path: /a }
      response:
        degraded: user
        user: usr.name
        picked: { from: user, picks: [a] }
        list: { each: feed.items }
        item: item.id
        rest: [forged, rpc, input, both, query, feed]
`);
    expect(faults).toEqual([
      '6:17 | routes[bad].aggregate.calls.user.upstream | there is no upstream "user" | users',
      '9:11 | routes[bad].aggregate.calls.feed.path | there is no parameter and no call "usr" to take a value from | user',
      '11:11 | routes[bad].aggregate.calls.feed.fallback | expected no `fallback` beside `required`: it would never show',
      '12:9 | routes[bad].aggregate.calls.a | waits for itself: a → b → a',
      '15:9 | routes[bad].aggregate.calls.query | expected another name: "query" stands for something else here',
      '15:35 | routes[bad].aggregate.calls.query.path | expected a path that starts with "/", got "relative"',
      "16:36 | routes[bad].aggregate.calls.forged.path | x_user-id is not the client's to say; use principal.id",
      '17:32 | routes[bad].aggregate.calls.rpc.grpc | shop.v1.Orders has no method "GetOrdr" | GetOrder',
      '18:74 | routes[bad].aggregate.calls.input.input.idd | shop.v1.GetOrderRequest has no field "idd" | id',
      '19:17 | routes[bad].aggregate.calls.both.upstream | the upstream "shop" speaks grpc; `path` needs one that speaks http',
      '21:9 | routes[bad].aggregate.response.degraded | expected another name: the answer lists there what failed',
      '22:9 | routes[bad].aggregate.response.user | there is no parameter and no call "usr" to take a value from | user',
      '23:31 | routes[bad].aggregate.response.picked.picks | unknown key beside `from` | pick',
      '24:9 | routes[bad].aggregate.response.list | expected `as`: what each element becomes',
      '25:9 | routes[bad].aggregate.response.item | there is an `item` only below `as`',
    ]);
  });

  it.each([
    ['aggregate: { calls: {} }', 'expected at least one call'],
    ['aggregate: { calls: { a: { upstream: users } } }', 'expected either `path` or `grpc`'],
    ['aggregate: { calls: { a: { upstream: users, path: /a, bugdet: 1s } } }', 'unknown key'],
    ['aggregate: { calls: { a: { upstream: users, path: /a/../b } } }', 'without empty and dot segments'],
    ['aggregate: { calls: { a: { upstream: users, path: "/{a" } } }', 'expected {name} for each value'],
    ['aggregate: { calls: { a: { upstream: users, path: "/{a.b}" } } }', 'waits for itself: a → a'],
    ['aggregate: { calls: { a: { upstream: users, path: /a, budget: 0ms } } }', 'expected more than 0ms'],
    ['upstream: users, aggregate: { calls: { a: { upstream: users, path: /a } } }', 'expected no `upstream`'],
    [
      'rewrite: { path: /a }, aggregate: { calls: { a: { upstream: users, path: /a } } }',
      'expected no `rewrite`',
    ],
    [
      'aggregate: { calls: { a: { upstream: users, path: /a } }, response: { x: 1 } }',
      'expected something that uses its answer',
    ],
    ['policies: {}', 'expected the name of an upstream, or `aggregate` in its place'],
  ])('refuse %s', async (text, message) => {
    const faults = await faultsOf(`\n  - { id: bad, match: { path: /bad }, ${text} }\n`);
    expect(faults).toEqual([expect.stringContaining(message)]);
  });

  it('refuse a way around what an upstream asks of its callers', async () => {
    const route = (policies: string): string => `
  - { id: bad, match: { path: /bad }, policies: { ${policies} }, aggregate: { calls: { a: { upstream: guarded, path: /a } } } }
`;
    expect(await faultsOf(route(''))).toEqual([
      expect.stringContaining(
        'the upstream "guarded" asks for `authorization`; the route has to declare its own',
      ),
    ]);
    expect(await faultsOf(route('authorization: off'))).toEqual([]);
  });

  it('refuse methods other than GET', async () => {
    const route = `{ id: bad, match: { path: /bad, methods: [POST] }, aggregate: { calls: { a: { upstream: users, path: /a } } } }`;
    expect(await faultsOf(`\n  - ${route}\n`)).toEqual([expect.stringContaining('expected only GET')]);
  });
});

describe('the aggregated route that is shipped', () => {
  const DESCRIPTORS = 'config/descriptors/shop.binpb';
  const shipped = parse(readFileSync('config/gateway.yaml', 'utf8')) as { routes: RouteInput[] };
  const profile = shipped.routes.find((route) => route['id'] === 'profile') as RouteInput;
  const holder = useShop({
    upstreams: ({ notifications, orders }) => ({
      notifications: {
        protocol: 'grpc',
        descriptorSet: DESCRIPTORS,
        targets: [notifications.url],
        circuitBreaker: 'off',
      },
      orders: { protocol: 'grpc', descriptorSet: DESCRIPTORS, targets: [orders.url] },
    }),
    routes: [
      profile,
      {
        id: 'mine',
        match: { path: '/mine' },
        aggregate: {
          calls: {
            me: { upstream: 'users', path: '/users/{principal.id}' },
            order: {
              upstream: 'orders',
              grpc: 'shop.v1.Orders/GetOrder',
              input: { id: '{query.order}' },
              required: true,
            },
            limited: {
              upstream: 'notifications',
              grpc: 'shop.v1.Notifications/GetUnread',
              input: { user_id: 'me.id', limit: '{query.limit}' },
            },
          },
        },
      },
    ],
  });

  async function orderOf(): Promise<string> {
    const orders = await holder.shop.call('/api/v1/orders', { as: 'user' });
    return orders.json<{ orders: [{ id: string }] }>().orders[0].id;
  }

  it('composes REST and gRPC services', async () => {
    const answer = await holder.shop.call('/api/v2/profile/2', { as: 'user' });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      id: '2',
      name: 'Bob User',
      profile: { email: expect.any(String), tier: expect.any(String) },
      feed: expect.arrayContaining([{ id: expect.any(String), title: expect.any(String) }]),
      newestAuthor: expect.any(String),
      unread: 7,
    });
    expect(answer.text).not.toContain('riskScore');
  });

  it('keeps the policies of the route', async () => {
    expect((await holder.shop.call('/api/v2/profile/2')).status).toBe(401);
    expect((await holder.shop.call('/api/v2/profile/2', { as: 'guest' })).status).toBe(403);
  });

  it('takes values from the principal and from answers into a message', async () => {
    const id = await orderOf();
    const answer = await holder.shop.call(`/mine?order=${id}&limit=2`, { as: 'user' });
    expect(answer.json()).toMatchObject({
      me: { id: '2' },
      order: { order: { id, userId: '2', totalCents: expect.stringMatching(/^\d+$/) } },
      limited: { unread: 7, latest: [{ id: 'ntf-2-7' }, { id: 'ntf-2-6' }] },
    });
  });

  it.each([
    ['/mine?limit=2', 400, 'request-invalid', 'order'],
    ['/mine?order=none', 404, 'resource-not-found', 'order'],
  ])('refuses %s naming the call', async (path, status, code, section) => {
    expect((await holder.shop.call(path, { as: 'user' })).json()).toMatchObject({ status, code, section });
  });

  it('fails a call alone whose message cannot hold the value', async () => {
    const answer = await holder.shop.call(`/mine?order=${await orderOf()}&limit=many`, { as: 'user' });
    expect(answer.json()).toMatchObject({
      limited: null,
      degraded: [{ section: 'limited', code: 'request-invalid' }],
    });
  });

  // Last, and `dead` at the end: a channel takes its time before it connects again.
  it.each(['garbage', 'fail', 'unavailable', 'dead'] as const)(
    'shows the rest while gRPC is %s',
    async (fault) => {
      const { notifications } = holder.shop.services;
      await notifications.fault(fault);
      const answer = await holder.shop.call('/api/v2/profile/2', { as: 'user' });
      await notifications.fault('none');
      expect(answer.json()).toMatchObject({
        name: 'Bob User',
        unread: null,
        degraded: [{ section: 'unread', via: 'null' }],
      });
    },
  );
});

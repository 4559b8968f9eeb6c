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

  it('are told of a batch that does not go with its call', async () => {
    const faults = await faultsOf(`
  - id: bad
    match: { path: '/bad/{id}/{lang}' }
    aggregate:
      calls:
        none: { upstream: users, path: '/users/{id}', batch: { path: /users, key: id } }
        inPath: { upstream: users, path: '/users/{id}', batch: { path: '/users/{ids}', key: id } }
        two: { upstream: users, path: '/{lang}/{id}', batch: { path: '/users?ids={ids}', key: id } }
        no: { upstream: users, path: /users, batch: { path: '/users?ids={ids}', key: id } }
        stray: { upstream: users, path: '/{lang}/{id}', batch: { path: '/{lng}?ids={ids}', key: id } }
        other: { upstream: users, path: '/users/{id}', batch: { path: '/{lang}?ids={ids}', key: id } }
        missing: { upstream: users, path: '/users/{id}', batch: { key: id } }
        wrong: { upstream: users, path: '/users/{id}', batch: { path: '/users?ids={ids}', key: id, by: id } }
        get: { upstream: shop, grpc: shop.v1.Orders/GetOrder, input: { id: '{id}' }, batch: { path: '/a?ids={ids}', key: id } }
        rpc:
          upstream: shop
          grpc: shop.v1.Orders/GetOrder
          input: { id: '{id}' }
          batch: { grpc: shop.v1.Orders/ListOrder, key: id }
        fields:
          upstream: shop
          grpc: shop.v1.Orders/GetOrder
          input: { id: '{id}' }
          batch: { grpc: shop.v1.Orders/ListOrders, ids: page_token, items: order, by: idd, key: id }
        shape:
          upstream: shop
          grpc: shop.v1.Orders/GetOrder
          input: { id: '{id}' }
          batch: { grpc: shop.v1.Orders/ListOrders, ids: ids, items: orders, key: status, as: ordr }
`);
    expect(faults).toEqual([
      '6:64 | routes[bad].aggregate.calls.none.batch.path | expected {ids} once, in the query, such as /users?ids={ids}; got "/users"',
      '7:66 | routes[bad].aggregate.calls.inPath.batch.path | expected {ids} once, in the query, such as /users?ids={ids}; got "/users/{ids}"',
      '8:64 | routes[bad].aggregate.calls.two.batch.path | expected all values that `path` of the call has, but for the one that is the id',
      '9:55 | routes[bad].aggregate.calls.no.batch.path | expected a value in `path` of the call: the id',
      '10:66 | routes[bad].aggregate.calls.stray.batch.path | there is no parameter and no call "lng" to take a value from | lang',
      '11:65 | routes[bad].aggregate.calls.other.batch.path | expected only values that `path` of the call has too, got {lang}',
      '12:58 | routes[bad].aggregate.calls.missing.batch | expected `path`: the call is over HTTP',
      '13:100 | routes[bad].aggregate.calls.wrong.batch.by | expected no `by` for a call over HTTP',
      '14:86 | routes[bad].aggregate.calls.get.batch | expected `grpc`: the call is over gRPC',
      '14:95 | routes[bad].aggregate.calls.get.batch.path | expected no `path` for a call over gRPC',
      '19:20 | routes[bad].aggregate.calls.rpc.batch.grpc | shop.v1.Orders has no method "ListOrder" | ListOrders',
      '24:53 | routes[bad].aggregate.calls.fields.batch.ids | expected a list of texts or numbers; page_token is none',
      '24:70 | routes[bad].aggregate.calls.fields.batch.items | shop.v1.ListOrdersResponse has no field "order" | orders',
      '24:84 | routes[bad].aggregate.calls.fields.batch.by | expected a field that `input` has, got "idd" | id',
      '29:53 | routes[bad].aggregate.calls.shape.batch.ids | shop.v1.ListOrdersRequest has no field "ids"',
      '29:78 | routes[bad].aggregate.calls.shape.batch.key | expected a field with one text or number; status is none',
      '29:91 | routes[bad].aggregate.calls.shape.batch.as | shop.v1.GetOrderResponse has no field "ordr" | order',
    ]);
  });

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

  it.each([
    ['guarded', 'authorization'],
    ['fenced', 'ipAccess'],
    ['asking', 'externalAuthorization'],
  ])('refuse a way around what the upstream %s asks of its callers', async (upstream, policy) => {
    const route = (policies: string): string => `
  - { id: bad, match: { path: /bad }, policies: { ${policies} }, aggregate: { calls: { a: { upstream: ${upstream}, path: /a } } } }
`;
    expect(await faultsOf(route(''))).toEqual([
      expect.stringContaining(
        `the upstream "${upstream}" asks for \`${policy}\`; the route has to declare its own`,
      ),
    ]);
    expect(await faultsOf(route(`${policy}: off`))).toEqual([]);
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

import { describe, expect, it } from '@jest/globals';
import { thingSchema, type Thing } from './calls.fixture.ts';
import { getFeed } from '../routes/services/feed.calls.ts';
import { Orders } from '../routes/services/gen/shop/v1/orders_pb.ts';
import { grpcUpstream } from './grpc-upstream.ts';
import { httpUpstream, type HttpCallOptions } from './http-upstream.ts';
import { getUnread } from '../routes/services/notifications.calls.ts';
import { createOrder, listOrders } from '../routes/services/orders.calls.ts';
import { getUser, getUsers } from '../routes/services/users.calls.ts';

const things = httpUpstream('things');
type Options = Partial<HttpCallOptions<{ id: string }, Thing>>;
const batch = { path: '/things', ids: 'ids', max: 5, key: ({ id }: Thing) => id };

describe('the declaration of a call', () => {
  const declare = (options: Options, method: 'get' | 'post' | 'put' = 'get') =>
    things[method]<{ id: string }, Thing>('things.x', '/things/{id}', { decode: thingSchema, ...options });

  it.each([
    [{ memo: true }, 'put', 'only a call that reads'],
    [{ fallback: () => ({ id: '', name: '' }) }, 'post', 'only a call that reads'],
    [{ batch, each: { concurrency: 2 } }, 'get', '`batch` and `each` exclude each other'],
    [{ each: { concurrency: 0 } }, 'get', '`each.concurrency`: expected a whole number above 0'],
    [{ batch: { ...batch, max: 0.5 } }, 'get', '`batch.max`: expected a whole number above 0'],
    [
      { cache: { ttl: '0s', scope: 'public' } },
      'get',
      '`cache.ttl`: expected a duration such as 30s, got "0s"',
    ],
    [{ cache: { ttl: '1x' as '1s', scope: 'public' } }, 'get', '`cache.ttl`'],
    [{ cache: { ttl: '1s', staleIfError: 'x' as '1s', scope: 'public' } }, 'get', '`cache.staleIfError`'],
    [{ cache: { ttl: '1s' } as unknown as { ttl: '1s'; scope: 'public' } }, 'get', '`cache.scope`: expected'],
    [{ cache: { ttl: '1s', scope: 'public', maxEntries: -1 } }, 'get', 'maxEntries'],
    [{ cache: { ttl: '1s', scope: 'public' }, memo: true }, 'get', '`cache` serves equal calls already'],
    [{ cache: { ttl: '1s', scope: 'public' }, share: true }, 'get', '`share` and `cache.scope` differ'],
  ] as [Options, 'get' | 'post' | 'put', string][])(
    'refuses %j for %s, naming the call',
    (options, method, message) => {
      expect(() => declare(options, method)).toThrow('the call things.x: ');
      expect(() => declare(options, method)).toThrow(message);
    },
  );

  it('takes a POST that only asks as one that reads', () => {
    expect(declare({ memo: true, reads: true }, 'post').plan?.memo).toBe(true);
  });

  it('gives a plain call no plan, so that it costs nothing', () => {
    for (const call of [declare({}), getFeed, getUnread, listOrders, getUsers])
      expect(call.plan).toBeUndefined();
  });

  it('describes calls as data', () => {
    const none = {
      memo: false,
      share: undefined,
      cache: undefined,
      batch: undefined,
      concurrency: undefined,
    };
    expect(getUser.description).toEqual({
      ...none,
      name: 'users.get',
      upstream: 'users',
      protocol: 'http',
      operation: 'GET /users/{id}',
      reads: true,
      memo: true,
      batch: { operation: 'GET /users?ids=', max: 50 },
      fallback: false,
    });
    expect(createOrder.description).toEqual({
      ...none,
      name: 'orders.create',
      upstream: 'orders',
      protocol: 'grpc',
      operation: 'shop.v1.Orders/CreateOrder',
      reads: false,
      fallback: false,
    });
    const cached = declare({
      cache: { ttl: '1s', scope: 'public', staleIfError: '1m' },
      each: { concurrency: 2 },
    });
    expect(cached.description).toMatchObject({
      share: 'public',
      concurrency: 2,
      cache: { ttlMs: 1000, staleWhileRevalidateMs: 0, staleIfErrorMs: 60_000, maxEntries: 1000 },
    });
    expect(Object.isFrozen(cached.description) && Object.isFrozen(cached.plan)).toBe(true);
  });

  it('asks gRPC calls to say that they read before they are merged', () => {
    const orders = grpcUpstream('orders');
    expect(() => orders.unary('orders.list', Orders.method.listOrders, { memo: true })).toThrow(
      'only a call that reads',
    );
    expect(
      orders.unary('orders.list', Orders.method.listOrders, { memo: true, reads: true }).plan?.memo,
    ).toBe(true);
  });
});

import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../../examples/services/start.ts';
import { CallBed, problemOf } from '../upstreams/grpc/call.fixture.ts';
import { ADA, contextOf, TestTime } from './calls.fixture.ts';
import { Caller } from './caller.ts';
import { GetOrderResponseSchema, Orders } from '../routes/services/gen/shop/v1/orders_pb.ts';
import { grpcUpstream } from './grpc-upstream.ts';
import { getUser, getUsers } from '../routes/services/users.calls.ts';

const orders = grpcUpstream('orders');
/** The sample service reads many orders with the method that lists them. */
const getOrder = orders.unary('orders.get', Orders.method.getOrder, {
  idempotent: true,
  batch: {
    method: Orders.method.listOrders,
    max: 50,
    id: ({ id }) => id ?? '',
    request: () => ({ pageSize: 100 }),
    entries: (page) =>
      page.orders.map((order) => [order.id, create(GetOrderResponseSchema, { order })] as const),
  },
});
const cachedOrders = orders.unary('orders.list', Orders.method.listOrders, {
  idempotent: true,
  cache: { ttl: '1m', staleIfError: '1h', scope: 'principal' },
});

describe('calls of the sample services that travel together', () => {
  let services: SampleServices;
  let bed: CallBed;
  let caller: Caller;

  beforeAll(async () => {
    services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
    bed = new CallBed({
      users: { targets: [services['users-1'].url, services['users-2'].url] },
      orders: { protocol: 'grpc', targets: [services.orders.url] },
    });
  });
  beforeEach(() => {
    caller = new Caller(bed.upstreams, bed.http, bed.grpc);
  });
  afterAll(async () => {
    await bed.close();
    await services.stop();
  });

  it('read orders with one request over gRPC, and only what the principal may see', async () => {
    const before = services.orders.requests.total;
    const context = contextOf();
    const ids = ['ord-1001', 'ord-1003', 'ord-1001', 'ord-1002'];
    const outcomes = await Promise.allSettled(ids.map((id) => caller.call(getOrder, { id }, context)));
    const shown = outcomes.map((one) => (one.status === 'fulfilled' ? one.value.order?.id : one.reason.code));
    expect(shown).toEqual(['ord-1001', 'ord-1003', 'ord-1001', 'resource-not-found']);
    expect(services.orders.requests.total - before).toBe(1);
    expect(getOrder.description.batch).toEqual({ operation: 'shop.v1.Orders/ListOrders', max: 50 });
  });

  it('keep what a gRPC upstream said, each principal its own, while the upstream is down', async () => {
    const time = new TestTime();
    caller = new Caller(bed.upstreams, bed.http, bed.grpc, time);
    const before = services.orders.requests.total;
    const bobs = await caller.call(cachedOrders, { pageSize: 2 }, contextOf());
    expect(await caller.call(cachedOrders, { pageSize: 2, pageToken: '' }, contextOf())).toBe(bobs);
    expect(await caller.call(cachedOrders, { pageSize: 2 }, contextOf(ADA))).not.toEqual(bobs);
    expect(services.orders.requests.total - before).toBe(2);
    time.nowMs += 60_000;
    services.orders.fault('fail');
    const context = contextOf();
    expect(await caller.call(cachedOrders, { pageSize: 2 }, context)).toBe(bobs);
    expect(context.parts).toMatchObject([{ source: 'stale', ageMs: 60_000 }]);
    services.orders.fault('none');
  });

  it('read 20 users that are named 40 times with one request', async () => {
    const total = () => services['users-1'].requests.total + services['users-2'].requests.total;
    const before = total();
    const context = contextOf();
    const ids = Array.from({ length: 40 }, (_, index) => String((index % 20) + 1));
    const outcomes = await Promise.allSettled(ids.map((id) => caller.call(getUser, { id }, context)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    const bob = await caller.call(getUser, { id: '2' }, context);
    expect(bob).toMatchObject({ id: '2', name: 'Bob User' });
    expect(total() - before).toBe(1);
  });

  it('read users by their ids, in this order', async () => {
    const users = await caller.call(getUsers, { ids: ['3', '99', '1'] }, contextOf());
    expect(users.map(({ name }) => name)).toEqual(['Eve Guest', 'Ada Admin']);
    expect(await problemOf(caller.call(getUsers, { ids: Array(101).fill('1') }, contextOf()))).toBe(
      'upstream-rejected',
    );
  });
});

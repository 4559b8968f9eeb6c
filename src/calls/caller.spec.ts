import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../../examples/services/start.ts';
import type { Problem } from '../problems/problem.ts';
import { CallBed, exchangeFor, problemOf } from '../upstreams/grpc/call.fixture.ts';
import { Caller } from './caller.ts';
import { getFeed } from '../routes/services/feed.calls.ts';
import { OrderStatus } from '../routes/services/gen/shop/v1/orders_pb.ts';
import { getUnread } from '../routes/services/notifications.calls.ts';
import { createOrder, getOrder, listOrders } from '../routes/services/orders.calls.ts';
import { getUser } from '../routes/services/users.calls.ts';

describe(Caller.name, () => {
  let services: SampleServices;
  let bed: CallBed;
  let caller: Caller;
  let odd: Server;
  let oddAnswer: unknown;

  beforeAll(async () => {
    services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
    odd = createServer((_, response) => response.end(JSON.stringify(oddAnswer)));
    await new Promise<void>((listening) => odd.listen(0, '127.0.0.1', listening));
    bed = new CallBed({
      users: { targets: [services['users-1'].url, services['users-2'].url] },
      feed: { targets: [`http://127.0.0.1:${(odd.address() as AddressInfo).port}`, services.feed.url] },
      orders: { protocol: 'grpc', targets: [services.orders.url] },
      notifications: { protocol: 'grpc', targets: [services.notifications.url] },
    });
    caller = new Caller(bed.upstreams, bed.http, bed.grpc);
  });

  afterEach(() => services.feed.fault('none'));

  afterAll(async () => {
    await bed.close();
    odd.closeAllConnections();
    odd.close();
    await services.stop();
  });

  const context = () => ({ exchange: exchangeFor(), timeoutMs: Infinity });

  it('reads a user and drops what the gateway does not show', async () => {
    expect(await caller.call(getUser, { id: '2' }, context())).toEqual({
      id: '2',
      name: 'Bob User',
      email: 'bob@example.com',
      roles: ['user'],
      tier: 'pro',
      segment: 'early-adopter',
    });
  });

  it('keeps a user id from reaching another path', async () => {
    for (const id of ['..', '../healthz', '..\\healthz', '..%2Fhealthz'])
      expect(await problemOf(caller.call(getUser, { id }, context()))).toBe('request-invalid');
    expect(await problemOf(caller.call(getUser, { id: 'a/healthz' }, context()))).toBe('resource-not-found');
    expect(services['users-1'].requests.by['GET /healthz'] ?? 0).toBe(0);
  });

  it('counts unread notifications', async () => {
    const answer = await caller.call(getUnread, { limit: 2 }, context());
    expect([answer.unread, answer.latest.map(({ id }) => id)]).toEqual([7, ['ntf-2-7', 'ntf-2-6']]);
  });

  it('lists, reads and places orders', async () => {
    const { order } = await caller.call(createOrder, { items: [{ sku: 'MUG-3', quantity: 2 }] }, context());
    expect(order).toMatchObject({ userId: '2', totalCents: 2500n, status: OrderStatus.PENDING });
    const page = await caller.call(listOrders, { pageSize: 1 }, context());
    expect(page.orders.map(({ id }) => id)).toEqual([order?.id]);
    expect((await caller.call(getOrder, { id: order?.id ?? '' }, context())).order).toEqual(order);
  });

  // The first target of `feed` is the odd one, and each test asks both: they take turns.
  it.each([
    [[], '/: '],
    [{ items: [{ id: 1 }] }, '/items/0/id: '],
    [{ items: [{ id: '1', title: 'x', authorId: '2', publishedAt: 'SECRET' }] }, '/items/0/publishedAt: '],
  ])('says in the cause, and only there, where %j has the wrong shape', async (value, place) => {
    oddAnswer = value;
    const outcomes = await Promise.allSettled([
      caller.call(getFeed, { user: '2', first: 1 }, context()),
      caller.call(getFeed, { user: '2', first: 1 }, context()),
    ]);
    const good = outcomes.find(({ status }) => status === 'fulfilled') as { value: unknown };
    const bad = outcomes.find(({ status }) => status === 'rejected') as { reason: Problem };
    expect(good.value).toMatchObject({ items: [{ id: 'item-24', authorId: '1' }] });
    expect([bad.reason.code, bad.reason.detail]).toEqual(['upstream-response-invalid', undefined]);
    expect(String(bad.reason.cause)).toContain(`feed.get: ${place}`);
    expect(String(bad.reason.cause)).not.toContain('SECRET');
  });

  it('declares calls that nobody can change', () => {
    for (const call of [getUser, getFeed, getUnread, listOrders, getOrder, createOrder]) {
      expect(Object.isFrozen(call)).toBe(true);
      expect(call.name.startsWith(`${call.upstream}.`)).toBe(true);
    }
  });
});

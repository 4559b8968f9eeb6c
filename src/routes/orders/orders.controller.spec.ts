import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  startTestGateway,
  type FakeGrpc,
  type RunningGateway,
  type TestClient,
} from '../../testing/index.ts';
import { OrdersController } from './orders.controller.ts';
import { orders } from './orders.module.ts';

const ORDER = {
  id: 'ord-1001',
  userId: '2',
  status: 'ORDER_STATUS_SHIPPED',
  items: [{ sku: 'BOOK-1', quantity: 2 }],
  totalCents: '3980',
  currency: 'EUR',
  createdAt: '2026-10-01T09:00:00Z',
};

// The whole gateway with this module alone, in front of a service that is played.
describe(OrdersController.name, () => {
  let gateway: RunningGateway;
  let service: FakeGrpc;
  let callers = 0;

  beforeAll(async () => {
    gateway = await startTestGateway({
      modules: [orders],
      config: {
        version: 1,
        modules: ['orders'],
        identity: {
          issuers: [{ issuer: 'https://id.test/', jwks: 'https://id.test/jwks', audiences: ['api'] }],
          apiKeys: [{ sha256: '0'.repeat(64), clientId: 'mobile-app', roles: ['user'] }],
        },
        defaults: { policies: { authentication: { schemes: ['jwt', 'apiKey'] } } },
        upstreams: {
          orders: {
            protocol: 'grpc',
            descriptorSet: 'config/descriptors/shop.binpb',
            targets: ['grpc://orders.internal:9000'],
            retry: { attempts: 1 },
          },
        },
      },
    });
    service = gateway.grpc('orders');
  });
  afterEach(() => gateway.resetUpstreams());
  afterAll(() => gateway.stop());

  const path = '/api/v1/orders';
  /** Somebody else each time, so that no test uses up the limits of another. */
  const user = (roles = ['user']): TestClient => {
    callers += 1;
    return gateway.client(gateway.as({ id: `user-${callers}`, roles }));
  };

  it('lists the orders of the caller in pages', async () => {
    const other = { ...ORDER, id: 'ord-1003', status: 'ORDER_STATUS_CANCELLED' };
    service.on('ListOrders', [
      { message: { orders: [ORDER], nextPageToken: 'more' } },
      { message: { orders: [other] } },
    ]);
    const caller = user();
    const first = (await caller.get(`${path}?pageSize=1`)).json();
    expect(first).toMatchObject({
      orders: [{ id: 'ord-1001', status: 'shipped' }],
      nextPageToken: 'more',
    });
    const rest = (await caller.get(`${path}?pageSize=1&pageToken=more`)).json();
    expect(rest).toMatchObject({ orders: [{ id: 'ord-1003', status: 'cancelled' }] });
    expect(rest).not.toHaveProperty('nextPageToken');
    expect(service.requestsTo('ListOrders').map(({ message }) => message)).toEqual([
      { pageSize: 1 },
      { pageSize: 1, pageToken: 'more' },
    ]);
  });

  it('asks for what has the status that was asked for, as the caller', async () => {
    service.on('ListOrders', {});
    await gateway.client(gateway.as({ id: '2', roles: ['user'] })).get(`${path}?status=paid`);
    expect(service.requests).toMatchObject([
      { message: { status: 'ORDER_STATUS_PAID' }, headers: { 'x-user-id': '2', 'x-user-roles': 'user' } },
    ]);
  });

  it('shows one order', async () => {
    service.on('GetOrder', { message: { order: ORDER } });
    const answer = await user().get(`${path}/ord-1001`);
    expect([answer.status, answer.json()]).toEqual([
      200,
      { ...ORDER, status: 'shipped', createdAt: '2026-10-01T09:00:00.000Z' },
    ]);
    expect(service.requests).toMatchObject([{ message: { id: 'ord-1001' } }]);
  });

  it.each(['/ord-9', `/${'x'.repeat(90)}`])('answers 404 for %s', async (id) => {
    service.on('GetOrder', { grpcStatus: 'NOT_FOUND' });
    const { problem } = await user().get(path + id);
    expect(problem).toMatchObject({ status: 404, code: 'resource-not-found' });
  });

  it('places an order and says where it is', async () => {
    service.on('CreateOrder', ({ message }) => ({
      message: { order: { ...ORDER, ...message, id: 'ord 7', status: 'ORDER_STATUS_PENDING' } },
    }));
    const body = { items: [{ sku: 'LAMP-7', quantity: 3 }], note: 'Grüße' };
    const answer = await user().post(path, body);
    expect([answer.status, answer.headers['location']]).toEqual([201, `${path}/ord%207`]);
    expect(answer.json()).toMatchObject({ ...body, status: 'pending' });
    expect(service.requests).toMatchObject([{ message: body }]);
  });

  it.each([
    [{}, ['/items']],
    [null, ['']],
    [{ items: [] }, ['/items']],
    [{ items: [{ sku: 'MUG-3', quantity: 'SECRET' }] }, ['/items/0/quantity']],
    [
      { items: [{ quantity: 0 }, { sku: 'SECRET'.repeat(20), quantity: 1.5 }] },
      ['/items/0/sku', '/items/0/quantity', '/items/1/sku', '/items/1/quantity'],
    ],
    [{ items: [{ sku: 'MUG-3', quantity: 1 }], userId: 'SECRET' }, ['']],
    [{ items: [{ sku: 'MUG-3', quantity: 1 }], note: 'SECRET'.repeat(100) }, ['/note']],
  ])('says where %j is wrong without repeating it', async (body, pointers) => {
    const answer = await user().post(path, body);
    expect(answer.problem).toMatchObject({ status: 400, code: 'request-invalid' });
    expect(answer.problem?.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(answer.text).not.toContain('SECRET');
    gateway.expectNoUpstreamCalls();
  });

  it.each([
    'pageSize=0',
    'pageSize=101',
    'pageSize=ten',
    'pageSize=1&pageSize=2',
    'status=lost',
    'pagesize=3',
  ])('refuses the query %s', async (query) => {
    const { problem } = await user().get(`${path}?${query}`);
    expect(problem).toMatchObject({ status: 400, code: 'request-invalid', errors: [{}] });
    gateway.expectNoUpstreamCalls();
  });

  it('lists at most fifty mistakes', async () => {
    const { problem } = await user().post(path, { items: Array.from({ length: 100 }, () => ({})) });
    expect(problem?.errors).toHaveLength(50);
  });

  it('turns what the service refuses into a 400 without its words', async () => {
    service.on('CreateOrder', { grpcStatus: 'INVALID_ARGUMENT', grpcMessage: 'there is BOOK-1 only' });
    const answer = await user().post(path, { items: [{ sku: 'NO-SUCH', quantity: 1 }] });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('BOOK-1');
  });

  it.each([
    [{ grpcStatus: 'INTERNAL' }, 'upstream-rejected'],
    [{ grpcStatus: 'UNAVAILABLE' }, 'upstream-unreachable'],
    [{ message: {} }, 'upstream-response-invalid'],
    [{ fault: 'reset' }, 'upstream-unreachable'],
  ] as const)('answers a problem when the service answers %j', async (given, code) => {
    service.on('GetOrder', given);
    expect((await user().get(`${path}/ord-1001`)).problem).toMatchObject({ status: 502, code });
  });

  it('is for users with a token, and places orders for those with a role', async () => {
    const asked = [
      await gateway.client().get(path),
      await gateway.client(gateway.apiKey('mobile-app')).get(path),
      await user(['guest']).post(path, { items: [{ sku: 'MUG-3', quantity: 1 }] }),
    ];
    expect(asked.map(({ status }) => status)).toEqual([401, 401, 403]);
    gateway.expectNoUpstreamCalls();
  });

  it('declares its policies', () => {
    const own = gateway.routes.filter(({ id }) => id.startsWith('orders.'));
    const declared = own.map(({ id, methods, path: at, policies }) => [
      `${id}: ${methods.join()} ${at}`,
      policies,
    ]);
    const always = ['authentication', 'bodyIdle', 'circuitBreaker', 'deadline', 'rateLimit'];
    expect(Object.fromEntries(declared)).toEqual({
      'orders.list: GET /api/v1/orders': always,
      'orders.get: GET /api/v1/orders/{id}': always,
      'orders.create: POST /api/v1/orders': ['authentication', 'authorization', ...always.slice(1)],
    });
  });
});

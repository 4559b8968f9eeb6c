import { afterEach, describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/client.ts';
import { API_KEY, useShop, type ShopCall } from '../support/shop.ts';

const holder = useShop({
  upstreams: ({ orders }) => ({ orders: { protocol: 'grpc', targets: [orders.url], circuitBreaker: 'off' } }),
});
const PATH = '/api/v1/orders';

const post = (body: unknown, more: ShopCall = { as: 'user' }): Promise<Answer> =>
  holder.shop.call(PATH, {
    method: 'POST',
    body: JSON.stringify(body),
    ...more,
    headers: { 'content-type': 'application/json', ...more.headers },
  });

afterEach(() => holder.shop.services.orders.fault('none'));

describe('orders over REST', () => {
  it('are listed, placed and shown: three calls of a gRPC service', async () => {
    const created = await post({ items: [{ sku: 'BOOK-1', quantity: 2 }], note: 'für Ada' });
    expect(created.status).toBe(201);
    expect(created.json()).toMatchObject({
      userId: '2',
      status: 'pending',
      totalCents: '3980',
      note: 'für Ada',
    });
    const location = String(created.headers['location']);
    const shown = await holder.shop.call(location, { as: 'user' });
    expect(shown.json()).toEqual(created.json());
    const page = (await holder.shop.call(`${PATH}?pageSize=1`, { as: 'user' })).json<{
      orders: unknown[];
      nextPageToken: string;
    }>();
    expect(page.orders).toEqual([created.json()]);
    const next = await holder.shop.call(`${PATH}?pageSize=1&pageToken=${page.nextPageToken}`, { as: 'user' });
    expect(next.json<{ orders: unknown[] }>().orders).not.toEqual(page.orders);
    const { by } = holder.shop.services.orders.requests;
    expect(by).toMatchObject({
      'shop.v1.Orders/CreateOrder': 1,
      'shop.v1.Orders/GetOrder': 1,
      'shop.v1.Orders/ListOrders': 2,
    });
  });

  it('take identity, request id, trace and deadline to the service, and nothing that a client made up', async () => {
    const headers = {
      'x-user-id': '1',
      'x-user-roles': 'admin',
      'x-request-id': 'order-request-1',
      'x-secret': 'a',
    };
    const answer = await holder.shop.call(PATH, { as: 'user', headers });
    const seen = holder.shop.services.orders.lastCall?.metadata.getMap() ?? {};
    expect(seen).toMatchObject({
      'x-user-id': '2',
      'x-user-roles': 'user',
      'x-request-id': 'order-request-1',
    });
    expect(seen).not.toHaveProperty('x-secret');
    expect(seen).not.toHaveProperty('authorization');
    const line = await holder.shop.lineOf(answer);
    expect(String(seen['traceparent'])).toContain(String(line['traceId']));
    expect(line).toMatchObject({ route: 'orders.list', status: 200, upstream: 'orders', principal: '2' });
    expect(answer.headers).toMatchObject({ 'x-request-id': 'order-request-1', 'x-ratelimit-limit': '100' });
  });

  it("keep a user's orders from others, and are not for applications or the unknown", async () => {
    const { id } = (await post({ items: [{ sku: 'MUG-3', quantity: 1 }] })).json<{ id: string }>();
    expect((await holder.shop.call(`${PATH}/${id}`, { as: 'guest' })).status).toBe(404);
    expect((await holder.shop.call(`${PATH}/${id}`, { as: 'admin' })).status).toBe(200);
    expect((await holder.shop.call(PATH, { apiKey: API_KEY })).status).toBe(401);
    expect((await post({ items: [{ sku: 'MUG-3', quantity: 1 }] }, { as: 'guest' })).status).toBe(403);
  });

  it.each([
    [{}, ['/items']],
    [{ items: [] }, ['/items']],
    [{ items: [{ sku: '', quantity: 0 }], extra: 1 }, ['/items/0/sku', '/items/0/quantity', '']],
    [{ items: [{ sku: 'BOOK-1', quantity: 1.5 }] }, ['/items/0/quantity']],
    [[], ['']],
  ])('say what is wrong with a body, all at once and where: %j', async (body, pointers) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    const { code, errors } = answer.json<{ code: string; errors: { pointer: string }[] }>();
    expect(code).toBe('request-invalid');
    expect(errors.map(({ pointer }) => pointer.replace(/^#/, '')).sort()).toEqual([...pointers].sort());
  });

  it.each(['pageSize=0', 'pageSize=many', 'status=lost', 'page=2'])('refuse the query %s', async (query) => {
    const answer = await holder.shop.call(`${PATH}?${query}`, { as: 'user' });
    expect([answer.status, answer.json()['code']]).toEqual([400, 'request-invalid']);
  });
});

describe('an orders service in trouble', () => {
  it.each([
    ['fail', 502, 'upstream-rejected'],
    ['unavailable', 502, 'upstream-unreachable'],
    ['garbage', 502, 'upstream-response-invalid'],
    ['dead', 502, 'upstream-unreachable'],
  ] as const)('that is %s is never a 500 of ours', async (mode, status, code) => {
    await holder.shop.services.orders.fault(mode);
    const answer = await holder.shop.call(PATH, { as: 'user' });
    expect([answer.status, answer.json()['code']]).toEqual([status, code]);
    expect(answer.text).not.toMatch(/127\.0\.0\.1|as it was told/);
  });
});

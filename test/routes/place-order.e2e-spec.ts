import { afterEach, describe, expect, it } from '@jest/globals';
import { API_KEY, useShop, type ShopCall } from '../support/shop.ts';

const holder = useShop({
  upstreams: ({ orders }) => ({ orders: { protocol: 'grpc', targets: [orders.url], circuitBreaker: 'off' } }),
});
const PLACE = `mutation Place($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    __typename
    ... on Order { id userId status items { sku quantity } totalCents currency createdAt note }
    ... on ExpectedError { code message }
    ... on InvalidOrder { faults { pointer message } }
    ... on OutOfStock { sku available }
  }
}`;

interface Answered {
  readonly data?: Record<string, Record<string, unknown> | null> | null;
  readonly errors?: readonly { path: unknown[]; extensions: Record<string, unknown> }[];
}

async function send(body: unknown, more: ShopCall = { as: 'user' }): Promise<Answered> {
  const headers = { 'content-type': 'application/json' };
  const answer = await holder.shop.call('/graphql', {
    method: 'POST',
    body: JSON.stringify(body),
    ...more,
    headers,
  });
  return answer.json<Answered>();
}

const place = (input: unknown, more?: ShopCall): Promise<Answered> =>
  send({ query: PLACE, variables: { input } }, more);
const calls = (): number => holder.shop.services.orders.requests.by['shop.v1.Orders/CreateOrder'] ?? 0;

afterEach(async () => {
  await holder.shop.services.orders.fault('none');
  holder.shop.services.orders.requests.reset();
});

describe('placeOrder', () => {
  it('places the order that REST shows', async () => {
    const { data, errors } = await place({ items: [{ sku: 'BOOK-1', quantity: 2 }], note: 'für Ada' });
    expect(errors).toBeUndefined();
    const { __typename, ...order } = data?.['placeOrder'] ?? {};
    expect([__typename, order['status'], order['totalCents'], calls()]).toEqual([
      'Order',
      'PENDING',
      '3980',
      1,
    ]);
    const rest = await holder.shop.call(`/api/v1/orders/${String(order['id'])}`, { as: 'user' });
    expect({ ...order, status: 'pending' }).toEqual(rest.json());
    const query = 'query($id: ID!) { order(id: $id) { id note } }';
    const { id, note } = order;
    expect(await send({ query, variables: { id } })).toEqual({ data: { order: { id, note } } });
  });

  it('answers what the client can mend as data, without asking the service', async () => {
    const { data, errors } = await place({ items: [{ sku: '', quantity: 0 }], note: 'x'.repeat(501) });
    expect([errors, calls()]).toEqual([undefined, 0]);
    const { faults, ...rest } = (data?.['placeOrder'] ?? {}) as { faults: { pointer: string }[] };
    expect(rest).toEqual({
      __typename: 'InvalidOrder',
      code: 'invalid-order',
      message: 'The input is not that of an order.',
    });
    expect(faults.map(({ pointer }) => pointer)).toEqual(['/items/0/sku', '/items/0/quantity', '/note']);
  });

  it('answers what the service finds wrong at the same places', async () => {
    const { data } = await place({ items: [{ sku: 'NO-SUCH', quantity: 1 }], note: null });
    expect(data?.['placeOrder']).toMatchObject({
      __typename: 'InvalidOrder',
      faults: [{ pointer: '/items/0/sku', message: expect.stringContaining('BOOK-1') }],
    });
  });

  it('answers how many are left when there are not enough, interpreted and compiled', async () => {
    for (let run = 0; run < 3; run += 1) {
      const { data, errors } = await place(
        { items: [{ sku: 'CLOCK-9', quantity: 4 }] },
        run < 2 ? { as: 'user' } : { as: 'admin' },
      );
      expect(errors).toBeUndefined();
      expect(data?.['placeOrder']).toEqual({
        __typename: 'OutOfStock',
        code: 'out-of-stock',
        message: 'There is not enough of something that was ordered.',
        sku: 'CLOCK-9',
        available: 3,
      });
    }
  });

  it.each([
    ['unavailable', 'upstream-unreachable'],
    ['fail', 'upstream-rejected'],
    ['garbage', 'upstream-response-invalid'],
  ] as const)('is an error with a code when the service is in the mode %s', async (mode, code) => {
    await holder.shop.services.orders.fault(mode);
    expect(await place({ items: [{ sku: 'MUG-3', quantity: 1 }] }, { as: 'admin' })).toMatchObject({
      data: { placeOrder: null },
      errors: [{ path: ['placeOrder'], extensions: { code } }],
    });
    expect(calls()).toBe(1);
  });

  it('has the policies of the route: a token of a user with a role', async () => {
    const refused = {
      data: { placeOrder: null },
      errors: [{ path: ['placeOrder'], extensions: { code: 'permission-denied' } }],
    };
    const input = { items: [{ sku: 'MUG-3', quantity: 1 }] };
    expect(await place(input, { apiKey: API_KEY })).toMatchObject(refused);
    expect(await place(input, { as: 'guest' })).toMatchObject(refused);
    expect(calls()).toBe(0);
    expect(await place(input, {})).toMatchObject({ code: 'credentials-missing' });
  });

  it('is never run by a GET', async () => {
    const query = 'mutation { placeOrder(input: { items: [{ sku: "MUG-3", quantity: 1 }] }) { __typename } }';
    const path = `/graphql?query=${encodeURIComponent(query)}`;
    const headers = { 'x-requested-with': 'test' };
    expect((await holder.shop.call(path, { as: 'user', headers })).status).toBe(405);
    expect(calls()).toBe(0);
  });

  it('takes a token for each alias, and runs them one after the other', async () => {
    const aliases = Array.from(
      { length: 20 },
      (_, index) => `a${index}: placeOrder(input: $input) { ... on Order { id } }`,
    );
    const query = `mutation($input: PlaceOrderInput!) { ${aliases.join('\n')} }`;
    const input = { items: [{ sku: 'MUG-3', quantity: 1 }] };
    const { data, errors = [] } = await send({ query, variables: { input } }, { as: 'admin' });
    const ids = Object.values(data ?? {}).flatMap((order) => (order === null ? [] : [String(order['id'])]));
    expect(errors.length).toBeGreaterThan(0);
    expect(errors[0]?.extensions).toMatchObject({ code: 'rate-limited', retryAfterMs: expect.any(Number) });
    expect([ids.length, calls()]).toEqual([20 - errors.length, 20 - errors.length]);
    expect(ids).toEqual(ids.toSorted());
  });
});

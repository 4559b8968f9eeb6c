import { create, fromBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { anyUnpack, timestampDate } from '@bufbuild/protobuf/wkt';
import { status, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as pb from '../../src/routes/services/gen/shop/v1/orders_pb.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
} from '../../src/upstreams/grpc/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../src/upstreams/grpc/gen/google/rpc/status_pb.ts';
import type { GrpcService } from './grpc-service.ts';
import { startOrders } from './orders.ts';
import { unaryCall } from './unary-call.ts';

const ADMIN = { 'x-user-id': '1', 'x-user-roles': 'user, admin' };
const BOB = { 'x-user-id': '2', 'x-user-roles': 'user' };
type Identity = Readonly<Record<string, string>>;

let orders: GrpcService;
beforeEach(async () => {
  orders = await startOrders();
});
afterEach(() => orders.stop());

const list = (
  metadata: Identity,
  request: MessageInitShape<typeof pb.ListOrdersRequestSchema> = {},
): Promise<pb.ListOrdersResponse> =>
  unaryCall(orders.url, pb.Orders.method.listOrders, create(pb.ListOrdersRequestSchema, request), {
    metadata,
  });
const get = (metadata: Identity, id: string): Promise<pb.GetOrderResponse> =>
  unaryCall(orders.url, pb.Orders.method.getOrder, create(pb.GetOrderRequestSchema, { id }), { metadata });
const place = (
  metadata: Identity,
  request: MessageInitShape<typeof pb.CreateOrderRequestSchema>,
): Promise<pb.CreateOrderResponse> =>
  unaryCall(orders.url, pb.Orders.method.createOrder, create(pb.CreateOrderRequestSchema, request), {
    metadata,
  });
const ids = (response: pb.ListOrdersResponse): string[] => response.orders.map(({ id }) => id);

const refusalOf = (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => Promise.reject(new Error('it was answered')),
    (error: unknown) => error as ServiceError,
  );
function detailsIn<Detail extends DescMessage>(
  refusal: ServiceError,
  schema: Detail,
): MessageShape<Detail>[] {
  const [bytes] = refusal.metadata.get('grpc-status-details-bin');
  return fromBinary(StatusSchema, bytes as Buffer).details.flatMap((any) => anyUnpack(any, schema) ?? []);
}

describe('ListOrders', () => {
  it("answers a user's own orders, newest first", async () => {
    expect(ids(await list(BOB))).toEqual(['ord-1008', 'ord-1005', 'ord-1003', 'ord-1001']);
  });

  it('answers all orders to an admin', async () => {
    expect((await list(ADMIN)).orders).toHaveLength(8);
  });

  it('answers only orders with the wanted status', async () => {
    expect(ids(await list(BOB, { status: pb.OrderStatus.PAID }))).toEqual(['ord-1005']);
    expect((await list(BOB, { status: pb.OrderStatus.UNSPECIFIED })).orders).toHaveLength(4);
  });

  it('answers page by page, undisturbed by an order placed in between', async () => {
    const first = await list(BOB, { pageSize: 2 });
    expect(ids(first)).toEqual(['ord-1008', 'ord-1005']);
    await place(BOB, { items: [{ sku: 'MUG-3', quantity: 1 }] });
    const second = await list(BOB, { pageSize: 2, pageToken: first.nextPageToken });
    expect(ids(second)).toEqual(['ord-1003', 'ord-1001']);
    expect(second.nextPageToken).toBe('');
  });

  it.each([
    [{ pageSize: -1 }, 'page_size: must not be negative'],
    [{ pageToken: 'bogus' }, 'page_token: is not one that this service made'],
  ])('refuses %j', async (request, details) => {
    await expect(list(BOB, request)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, details });
  });
});

describe('GetOrder', () => {
  it('answers the whole order', async () => {
    const { order } = await get(BOB, 'ord-1005');
    expect(order).toMatchObject({
      userId: '2',
      status: pb.OrderStatus.PAID,
      totalCents: 6490n,
      currency: 'EUR',
    });
    expect(order?.items.map(({ sku }) => sku)).toEqual(['LAMP-7', 'BOOK-1']);
    expect(order?.createdAt && timestampDate(order.createdAt).toISOString()).toBe('2026-10-05T09:00:00.000Z');
  });

  it("answers somebody else's order to an admin only", async () => {
    expect((await get(ADMIN, 'ord-1004')).order?.userId).toBe('3');
    const details = 'order ord-1004 does not exist';
    await expect(get(BOB, 'ord-1004')).rejects.toMatchObject({ code: status.NOT_FOUND, details });
  });

  it('does not show a user what it showed an admin before', async () => {
    await get(ADMIN, 'ord-1004');
    await list(ADMIN);
    await expect(get(BOB, 'ord-1004')).rejects.toMatchObject({ code: status.NOT_FOUND });
    expect((await list(BOB)).orders.every(({ userId }) => userId === '2')).toBe(true);
  });

  it('answers NOT_FOUND for an unknown id', async () => {
    await expect(get(ADMIN, 'ord-9')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
});

describe('CreateOrder', () => {
  it('prices and keeps the order, and lists it first', async () => {
    await list(BOB);
    const items = [{ sku: 'BOOK-1', quantity: 3 }];
    const { order } = await place(BOB, { items, note: 'ring twice' });
    expect(order).toMatchObject({ id: 'ord-1009', userId: '2', totalCents: 5970n, note: 'ring twice' });
    expect(order?.status).toBe(pb.OrderStatus.PENDING);
    expect((await get(BOB, 'ord-1009')).order).toEqual(order);
    expect(ids(await list(BOB))[0]).toBe('ord-1009');
  });

  it.each([
    [{}, 'items: at least one is needed'],
    [
      { items: [{ sku: 'NOPE', quantity: 1 }] },
      'items[0].sku: one of BOOK-1, LAMP-7, MUG-3, DESK-2, CLOCK-9 is expected',
    ],
    [{ items: [{ sku: 'MUG-3' }] }, 'items[0].quantity: a number from 1 to 1000 is expected'],
    [
      { items: [{ sku: 'MUG-3', quantity: 1 }], note: 'x'.repeat(501) },
      'note: at most 500 characters are possible',
    ],
  ])('refuses %.60j', async (request, details) => {
    const refusal = await refusalOf(place(BOB, request));
    expect(refusal).toMatchObject({ code: status.INVALID_ARGUMENT, details });
    const [bad] = detailsIn(refusal, BadRequestSchema);
    const { field, description } = bad?.fieldViolations[0] ?? {};
    expect(`${field}: ${description}`).toBe(details);
  });

  it('answers FAILED_PRECONDITION with what is left when there is not enough', async () => {
    const clocks = (quantity: number) => place(BOB, { items: [{ sku: 'CLOCK-9', quantity }] });
    await clocks(2);
    const refusal = await refusalOf(clocks(2));
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'CLOCK-9: 1 are left' });
    expect(detailsIn(refusal, ErrorInfoSchema)).toMatchObject([
      { reason: 'OUT_OF_STOCK', metadata: { sku: 'CLOCK-9', available: '1' } },
    ]);
    const twice = [
      { sku: 'CLOCK-9', quantity: 1 },
      { sku: 'CLOCK-9', quantity: 1 },
    ];
    await expect(place(BOB, { items: twice })).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
    expect((await clocks(1)).order?.totalCents).toBe(9900n);
  });
});

describe('Orders without identity', () => {
  it('answers UNAUTHENTICATED to every method', async () => {
    const refused = { code: status.UNAUTHENTICATED };
    await expect(list({})).rejects.toMatchObject(refused);
    await expect(get({ 'x-user-roles': 'admin' }, 'ord-1001')).rejects.toMatchObject(refused);
    await expect(place({}, { items: [{ sku: 'MUG-3', quantity: 1 }] })).rejects.toMatchObject(refused);
  });
});

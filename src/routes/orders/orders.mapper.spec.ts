import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { ListOrdersResponseSchema, OrderSchema, OrderStatus } from '../services/gen/shop/v1/orders_pb.ts';
import { toCreateRequest, toListRequest, toOrderBody, toPageBody } from './orders.mapper.ts';
import { ORDER_STATUSES } from './orders.schemas.ts';

const order = create(OrderSchema, {
  id: 'ord-1',
  userId: '2',
  status: OrderStatus.SHIPPED,
  items: [{ sku: 'MUG-3', quantity: 2 }],
  totalCents: 2n ** 60n + 1n,
  currency: 'EUR',
  createdAt: timestampFromMs(Date.UTC(2026, 9, 1, 9)),
  note: 'gift',
});

describe('the orders mapper', () => {
  it('shows an order without losing a digit', () => {
    expect(toOrderBody(order)).toEqual({
      id: 'ord-1',
      userId: '2',
      status: 'shipped',
      items: [{ sku: 'MUG-3', quantity: 2 }],
      totalCents: '1152921504606846977',
      currency: 'EUR',
      createdAt: '2026-10-01T09:00:00.000Z',
      note: 'gift',
    });
  });

  it('leaves an absent note out', () => {
    const { note: _, ...without } = order;
    expect(toOrderBody(create(OrderSchema, without))).not.toHaveProperty('note');
  });

  it.each([
    [OrderStatus.UNSPECIFIED, 'unknown'],
    [OrderStatus.PENDING, 'pending'],
    [OrderStatus.CANCELLED, 'cancelled'],
    [17 as OrderStatus, 'unknown'],
  ])('shows the status %i as %s', (status, name) => {
    expect(toOrderBody({ ...order, status }).status).toBe(name);
  });

  it.each(ORDER_STATUSES)('asks for the status %s that it shows', (status) => {
    const request = toListRequest({ pageSize: 1, pageToken: '', status });
    expect(toOrderBody({ ...order, status: request.status ?? 0 }).status).toBe(status);
  });

  it.each([
    ['no order', undefined],
    ['an order without a time', create(OrderSchema, { id: 'ord-1' })],
    ['a time beyond the calendar', { ...order, createdAt: timestampFromMs(9e15) }],
  ])('blames the service for %s', (_, broken) => {
    expect(() => toOrderBody(broken)).toThrow(expect.objectContaining({ code: 'upstream-response-invalid' }));
  });

  it('shows the token of the next page only if there is one', () => {
    const last = toPageBody(create(ListOrdersResponseSchema, { orders: [order] }));
    expect(last).toEqual({ orders: [toOrderBody(order)] });
    const first = toPageBody(create(ListOrdersResponseSchema, { nextPageToken: 'abc' }));
    expect(first).toEqual({ orders: [], nextPageToken: 'abc' });
  });

  it('sets no field that was not given', () => {
    expect(toListRequest({ pageSize: 5, pageToken: 'x' })).toEqual({ pageSize: 5, pageToken: 'x' });
    const items = [{ sku: 'MUG-3', quantity: 1 }];
    expect(toCreateRequest({ items })).toEqual({ items });
    expect(toCreateRequest({ items, note: '' })).toEqual({ items, note: '' });
  });
});

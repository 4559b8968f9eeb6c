import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  OrderStatus,
  type CreateOrderRequestSchema,
  type ListOrdersRequestSchema,
  type ListOrdersResponse,
  type Order,
} from '../services/gen/shop/v1/orders_pb.ts';
import { Problem } from '../../problems/problem.ts';
import type { ListOrdersQuery, NewOrderBody, OrderBody, OrderPageBody } from './orders.schemas.ts';

// Between REST and the proto contract. JSON here is camelCase; an int64 is a decimal string and a timestamp
// ISO 8601, as in the canonical proto3 mapping; unlike there, enums are lower case without their prefix.

const STATUS_OF = {
  pending: OrderStatus.PENDING,
  paid: OrderStatus.PAID,
  shipped: OrderStatus.SHIPPED,
  cancelled: OrderStatus.CANCELLED,
} as const satisfies Record<NonNullable<ListOrdersQuery['status']>, OrderStatus>;

const NAME_OF: ReadonlyMap<number, keyof typeof STATUS_OF> = new Map(
  (Object.keys(STATUS_OF) as (keyof typeof STATUS_OF)[]).map((name) => [STATUS_OF[name], name]),
);

/** Turns a query into the request for a page. */
export function toListRequest(query: ListOrdersQuery): MessageInitShape<typeof ListOrdersRequestSchema> {
  const { pageSize, pageToken, status } = query;
  return status === undefined ? { pageSize, pageToken } : { pageSize, pageToken, status: STATUS_OF[status] };
}

/** Turns a body into the request that places an order. */
export function toCreateRequest(body: NewOrderBody): MessageInitShape<typeof CreateOrderRequestSchema> {
  const { items, note } = body;
  return note === undefined ? { items } : { items, note };
}

/** Shows a page. */
export function toPageBody({ orders, nextPageToken }: ListOrdersResponse): OrderPageBody {
  const shown = orders.map(toOrderBody);
  return nextPageToken === '' ? { orders: shown } : { orders: shown, nextPageToken };
}

/**
 * Shows an order.
 *
 * @throws {Problem} `upstream-response-invalid` when there is none, or one without a time that can be shown.
 */
export function toOrderBody(order: Order | undefined): OrderBody {
  const createdAt = order?.createdAt === undefined ? new Date(NaN) : new Date(timestampMs(order.createdAt));
  if (order === undefined || Number.isNaN(createdAt.getTime()))
    throw new Problem('upstream-response-invalid');
  return {
    id: order.id,
    userId: order.userId,
    status: NAME_OF.get(order.status) ?? 'unknown',
    items: order.items.map(({ sku, quantity }) => ({ sku, quantity })),
    totalCents: order.totalCents.toString(),
    currency: order.currency,
    createdAt: createdAt.toISOString(),
    ...(order.note === undefined ? {} : { note: order.note }),
  };
}

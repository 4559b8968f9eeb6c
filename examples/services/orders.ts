import { create } from '@bufbuild/protobuf';
import { status, type Metadata } from '@grpc/grpc-js';
import * as pb from '../../src/routes/services/gen/shop/v1/orders_pb.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
} from '../../src/upstreams/grpc/gen/google/rpc/error_details_pb.ts';
import { callerOf, GrpcError, type Caller } from './grpc-caller.ts';
import type { MethodHandlers } from './grpc-definition.ts';
import { GrpcService } from './grpc-service.ts';
import { CATALOG, OrdersStore } from './orders-store.ts';
import { KeptAnswers } from './kept-answers.ts';
import type { ServiceOptions } from './sample-service.ts';

const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;
const MAX_QUANTITY = 1000;
const MAX_NOTE = 500;

/**
 * Starts `shop.v1.Orders` over gRPC.
 *
 * @throws {Error} naming service and port when the port is taken.
 */
export function startOrders(options: ServiceOptions = {}): Promise<GrpcService> {
  return new GrpcService('orders', options, pb.Orders, handlers(new OrdersStore())).start();
}

function handlers(store: OrdersStore): MethodHandlers<(typeof pb.Orders)['method']> {
  const pages = new KeptAnswers<pb.ListOrdersResponse>();
  const orders = new KeptAnswers<pb.GetOrderResponse>();
  return {
    listOrders: (request, metadata) => {
      const caller = callerOf(metadata);
      const { pageSize, pageToken, status: wanted } = request;
      const key = `${caller.isAdmin ? '' : caller.id}|${pageSize}|${pageToken}|${wanted ?? ''}`;
      return pages.get(key) ?? pages.keep(key, page(store, caller, request));
    },
    getOrder: ({ id }, metadata) => {
      const order = visibleOrder(store, id, metadata);
      return orders.get(id) ?? orders.keep(id, create(pb.GetOrderResponseSchema, { order }));
    },
    createOrder: (request, metadata) => {
      const { id } = callerOf(metadata);
      checkNew(request);
      checkStock(store, request);
      pages.clear();
      return create(pb.CreateOrderResponseSchema, { order: store.place(id, request.items, request.note) });
    },
  };
}

function visibleOrder(store: OrdersStore, id: string, metadata: Metadata): pb.Order {
  const caller = callerOf(metadata);
  const order = store.get(id);
  // Somebody else's order answers like an unknown one, so that ids cannot be probed.
  if (order !== undefined && (caller.isAdmin || order.userId === caller.id)) return order;
  throw new GrpcError(status.NOT_FOUND, `order ${id} does not exist`);
}

function page(store: OrdersStore, caller: Caller, request: pb.ListOrdersRequest): pb.ListOrdersResponse {
  const { pageSize, pageToken, status: wanted = pb.OrderStatus.UNSPECIFIED } = request;
  if (pageSize < 0) throw invalid('page_size: must not be negative');
  const size = Math.min(pageSize === 0 ? DEFAULT_PAGE : pageSize, MAX_PAGE);
  const before = pageToken === '' ? Infinity : numberIn(pageToken);
  const matching = store
    .all()
    .filter((order) => caller.isAdmin || order.userId === caller.id)
    .filter((order) => wanted === pb.OrderStatus.UNSPECIFIED || order.status === wanted)
    .filter((order) => Number(order.id.slice(4)) < before);
  const orders = matching.slice(0, size);
  const nextPageToken = matching.length > size ? tokenAfter(orders.at(-1)?.id ?? '') : '';
  return create(pb.ListOrdersResponseSchema, { orders, nextPageToken });
}

function tokenAfter(id: string): string {
  return Buffer.from(id).toString('base64url');
}

/** The order number in a page token: a page goes on below it, whatever was placed meanwhile. */
function numberIn(token: string): number {
  const id = Buffer.from(token, 'base64url').toString();
  if (!/^ord-\d+$/.test(id)) throw invalid('page_token: is not one that this service made');
  return Number(id.slice(4));
}

function checkNew({ items, note }: pb.CreateOrderRequest): void {
  if (items.length === 0) throw invalidField('items', 'at least one is needed');
  for (const [index, { sku, quantity }] of items.entries()) {
    if (!CATALOG.has(sku))
      throw invalidField(`items[${index}].sku`, `one of ${[...CATALOG.keys()].join(', ')} is expected`);
    if (quantity < 1 || quantity > MAX_QUANTITY)
      throw invalidField(`items[${index}].quantity`, `a number from 1 to ${MAX_QUANTITY} is expected`);
  }
  if (note !== undefined && note.length > MAX_NOTE)
    throw invalidField('note', `at most ${MAX_NOTE} characters are possible`);
}

function checkStock(store: OrdersStore, { items }: pb.CreateOrderRequest): void {
  const wanted = new Map<string, number>();
  for (const { sku, quantity } of items) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
  for (const [sku, quantity] of wanted) {
    const available = store.available(sku);
    if (quantity <= available) continue;
    const metadata = { sku, available: String(available) };
    const info = { reason: 'OUT_OF_STOCK', domain: 'shop.example.com', metadata };
    throw new GrpcError(status.FAILED_PRECONDITION, `${sku}: ${available} are left`, [
      [ErrorInfoSchema, create(ErrorInfoSchema, info)],
    ]);
  }
}

function invalid(details: string): GrpcError {
  return new GrpcError(status.INVALID_ARGUMENT, details);
}

function invalidField(field: string, description: string): GrpcError {
  const bad = create(BadRequestSchema, { fieldViolations: [{ field, description }] });
  return new GrpcError(status.INVALID_ARGUMENT, `${field}: ${description}`, [[BadRequestSchema, bad]]);
}

/**
 * Bare twin of door 2: a handler on `node:http` that makes the same unary gRPC call with the same messages, over
 * one channel, and answers the same JSON. The caller's identity is fixed: nobody is authenticated here.
 * PORT is where it listens, ORDERS the gRPC service.
 *
 * @module
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { createServer, type ServerResponse } from 'node:http';
import * as pb from '../../src/routes/services/gen/shop/v1/orders_pb.ts';

const { PORT, ORDERS } = process.env;
const PREFIX = '/api/v1/orders/';
const TIMEOUT_MS = 3000;
/** By their numbers in the schema. */
const STATUSES = ['unknown', 'pending', 'paid', 'shipped', 'cancelled'];

const client = new Client(
  (ORDERS ?? 'grpc://127.0.0.1:4201').replace('grpc://', ''),
  credentials.createInsecure(),
);

function encode(message: pb.GetOrderRequest): Buffer {
  return Buffer.from(toBinary(pb.GetOrderRequestSchema, message));
}

function decode(bytes: Buffer): pb.GetOrderResponse {
  return fromBinary(pb.GetOrderResponseSchema, bytes);
}

function getOrder(
  id: string,
  done: (error: ServiceError | null, answer?: pb.GetOrderResponse) => void,
): void {
  const metadata = new Metadata();
  metadata.set('x-user-id', '1');
  metadata.set('x-user-roles', 'admin');
  // The gateway's call has a deadline, so the same call has one.
  const options = { deadline: Date.now() + TIMEOUT_MS };
  const request = create(pb.GetOrderRequestSchema, { id });
  client.makeUnaryRequest('/shop.v1.Orders/GetOrder', encode, decode, request, metadata, options, done);
}

function show(order: pb.Order): object {
  return {
    id: order.id,
    userId: order.userId,
    status: STATUSES[order.status],
    items: order.items.map(({ sku, quantity }) => ({ sku, quantity })),
    totalCents: order.totalCents.toString(),
    currency: order.currency,
    createdAt: order.createdAt === undefined ? undefined : timestampDate(order.createdAt).toISOString(),
    note: order.note,
  };
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, [
    'content-type', 'application/json; charset=utf-8', 'content-length', String(Buffer.byteLength(body)),
  ]); // prettier-ignore
  response.end(body);
}

createServer((request, response) => {
  const url = request.url ?? '/';
  if (!url.startsWith(PREFIX)) return answer(response, 404, { error: 'no such path' });
  getOrder(decodeURIComponent(url.slice(PREFIX.length)), (error, reply) => {
    if (error !== null || reply?.order === undefined) answer(response, 502, { error: error?.details });
    else answer(response, 200, show(reply.order));
  });
}).listen(Number(PORT), '127.0.0.1');

// An orderly end, so that a profiler can write down what it saw.
process.once('SIGTERM', () => process.exit(0));

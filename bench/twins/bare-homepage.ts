/**
 * Bare twin of the GraphQL homepage: a handler on `node:http` that parses the body, makes the same two REST calls
 * and the same gRPC call at once, and answers the same JSON. It knows one query only, and fixed identity.
 * PORT is where it listens; USERS, FEED and NOTIFICATIONS are the services.
 *
 * @module
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { createServer, type IncomingMessage } from 'node:http';
import { Pool } from 'undici';
import * as pb from '../../src/clients/gen/shop/v1/notifications_pb.ts';

interface User {
  readonly [field: string]: unknown;
}
interface Feed {
  readonly items: readonly { readonly [field: string]: unknown }[];
}

const { PORT, USERS, FEED, NOTIFICATIONS } = process.env;
const USER_ID = '1';
/** Longer than the gateway's: a late answer has no fallback here, and would fail the round. */
const TIMEOUT_MS = 5000;

const users = new Pool(USERS ?? 'http://127.0.0.1:4101', { connections: 256, pipelining: 1 });
const feeds = new Pool(FEED ?? 'http://127.0.0.1:4103', { connections: 256, pipelining: 1 });
const notifications = new Client(
  (NOTIFICATIONS ?? 'grpc://127.0.0.1:4202').replace('grpc://', ''),
  credentials.createInsecure(),
);

async function getJson<Value>(pool: Pool, path: string): Promise<Value> {
  const { body } = await pool.request({ path, method: 'GET', headers: { 'x-user-id': USER_ID } });
  return (await body.json()) as Value;
}

function encode(message: pb.GetUnreadRequest): Buffer {
  return Buffer.from(toBinary(pb.GetUnreadRequestSchema, message));
}

function decode(bytes: Buffer): pb.GetUnreadResponse {
  return fromBinary(pb.GetUnreadResponseSchema, bytes);
}

function getUnread(userId: string): Promise<pb.GetUnreadResponse> {
  const metadata = new Metadata();
  metadata.set('x-user-id', userId);
  // The gateway's call has a deadline, so the same call has one.
  const options = { deadline: Date.now() + TIMEOUT_MS };
  const request = create(pb.GetUnreadRequestSchema, { userId });
  return new Promise((resolve, reject) => {
    notifications.makeUnaryRequest(
      '/shop.v1.Notifications/GetUnread', encode, decode, request, metadata, options,
      (error, answer) => (error === null && answer !== undefined ? resolve(answer) : reject(error)),
    ); // prettier-ignore
  });
}

function show(user: User, feed: Feed, { unread, latest }: pb.GetUnreadResponse): object {
  const { id, name, email, roles, tier, segment } = user;
  return {
    user: { id, name, email, roles, tier, segment },
    feed: {
      items: feed.items.map((item) => ({ id: item['id'], title: item['title'], authorId: item['authorId'] })),
    },
    notifications: {
      unread,
      latest: latest.map((one) => ({
        id: one.id,
        text: one.text,
        createdAt: one.createdAt === undefined ? null : timestampDate(one.createdAt).toISOString(),
      })),
    },
  };
}

async function answer(text: string): Promise<string> {
  const { query } = JSON.parse(text) as { query?: unknown };
  if (typeof query !== 'string') throw new Error('query: a text is expected');
  const [user, feed, unread] = await Promise.all([
    getJson<User>(users, `/users/${USER_ID}`),
    getJson<Feed>(feeds, `/feed?user=${USER_ID}&first=10`),
    getUnread(USER_ID),
  ]);
  return JSON.stringify({ data: { homepage: show(user, feed, unread) } });
}

function bodyOf(request: IncomingMessage, done: (text: string) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => done(Buffer.concat(chunks).toString()));
}

createServer((request, response) => {
  const send = (status: number, body: string): void => {
    const length = String(Buffer.byteLength(body));
    response.writeHead(status, ['content-type', 'application/json; charset=utf-8', 'content-length', length]);
    response.end(body);
  };
  bodyOf(request, (text) => {
    answer(text).then(
      (body) => send(200, body),
      (error: unknown) => send(502, JSON.stringify({ error: String(error) })),
    );
  });
}).listen(Number(PORT), '127.0.0.1');

// An orderly end, so that a profiler can write down what it saw.
process.once('SIGTERM', () => process.exit(0));

/**
 * The calls that the twins make: one client for all of them, so that they differ in nothing else. USERS and USERS_2,
 * FEED and NOTIFICATIONS are the services.
 *
 * @module
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { Pool } from 'undici';
import * as pb from '../../src/routes/services/gen/shop/v1/notifications_pb.ts';

/** An object of the services, as it came. */
export interface Item {
  readonly [field: string]: unknown;
}
/** What is new for a reader. */
export interface Feed {
  readonly items: readonly Item[];
}
/** What a user has not read; times are RFC 3339. */
export interface Unread {
  readonly unread: number;
  readonly latest: readonly {
    readonly id: string;
    readonly text: string;
    readonly createdAt: string | null;
  }[];
}

const { USERS, USERS_2, FEED, NOTIFICATIONS } = process.env;
/** Longer than the gateway's: a late answer has no fallback here, and would fail the round. */
const TIMEOUT_MS = 5000;

const users = [poolOf(USERS ?? 'http://127.0.0.1:4101'), poolOf(USERS_2 ?? 'http://127.0.0.1:4102')] as const;
const feeds = poolOf(FEED ?? 'http://127.0.0.1:4103');
const notifications = new Client(
  (NOTIFICATIONS ?? 'grpc://127.0.0.1:4202').replace('grpc://', ''),
  credentials.createInsecure(),
);
let turn = 0;

/** Reads one user. */
export function getUser(id: string): Promise<Item> {
  return getJson<Item>(usersInTurn(), `/users/${id}`, id);
}

/** Reads the users of these ids; `reader` is who asks. */
export async function getUsers(ids: readonly string[], reader: string): Promise<readonly Item[]> {
  return (await getJson<Feed>(usersInTurn(), `/users?ids=${ids.join(',')}`, reader)).items;
}

/** Reads the newest items for a reader. */
export function getFeed(reader: string, first: number): Promise<Feed> {
  return getJson<Feed>(feeds, `/feed?user=${reader}&first=${first}`, reader);
}

/** Reads what a user has not read, over gRPC. */
export function getUnread(userId: string): Promise<Unread> {
  const metadata = new Metadata();
  metadata.set('x-user-id', userId);
  // The gateway's call has a deadline, so the same call has one.
  const options = { deadline: Date.now() + TIMEOUT_MS };
  const request = create(pb.GetUnreadRequestSchema, { userId });
  return new Promise((resolve, reject) => {
    notifications.makeUnaryRequest(
      '/shop.v1.Notifications/GetUnread', encode, decode, request, metadata, options,
      (error, answer) => (error === null && answer !== undefined ? resolve(toUnread(answer)) : reject(error)),
    ); // prettier-ignore
  });
}

function poolOf(origin: string): Pool {
  return new Pool(origin, { connections: 256, pipelining: 1 });
}

function usersInTurn(): Pool {
  turn = 1 - turn;
  return users[turn] ?? users[0];
}

async function getJson<Value>(pool: Pool, path: string, reader: string): Promise<Value> {
  const { body } = await pool.request({ path, method: 'GET', headers: { 'x-user-id': reader } });
  return (await body.json()) as Value;
}

function encode(message: pb.GetUnreadRequest): Buffer {
  return Buffer.from(toBinary(pb.GetUnreadRequestSchema, message));
}

function decode(bytes: Buffer): pb.GetUnreadResponse {
  return fromBinary(pb.GetUnreadResponseSchema, bytes);
}

function toUnread({ unread, latest }: pb.GetUnreadResponse): Unread {
  return {
    unread,
    latest: latest.map(({ id, text, createdAt }) => ({
      id,
      text,
      createdAt: createdAt === undefined ? null : timestampDate(createdAt).toISOString(),
    })),
  };
}

import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { LogLine } from './gateway.ts';
import { KindsServer } from './kinds-server.ts';
import { API_KEY, startShop, type Shop } from './shop.ts';
import { echo } from './upstream.ts';

/** How long a client may be silent within its body, in the gateway of {@link useBodyDoors}. */
export const IDLE_MS = 400;
/** How long an exchange may take there. */
export const DEADLINE_MS = 1400;

/** More than any test asks for; it shows how often a request is counted. */
const LIMIT = { key: 'principal', rate: 100_000, per: '1d' };

@Controller('door')
class DoorController {
  @Get()
  show(): object {
    return { shown: true };
  }

  @Post()
  take(@Body({ schema: z.unknown() }) body: unknown): object {
    return { body };
  }
}

@Module({ controllers: [DoorController] })
class DoorModule {}

/** A door that takes request bodies. */
export interface BodyDoor {
  readonly name: string;
  readonly path: string;
  /** Header fields of its requests, each with its line end. */
  readonly fields: string;
  /** A whole body that it takes. */
  readonly body: string;
}

const json = 'Content-Type: application/json\r\n';
const lines = 'Content-Type: application/x-ndjson\r\n';
const query = JSON.stringify({ query: '{ __typename }' });
const stream = JSON.stringify({ query: 'subscription { notificationAdded { id } }' });

/** Every door that reads bodies. */
export const BODY_DOORS: readonly BodyDoor[] = [
  { name: 'a proxied route', path: '/proxied', fields: json, body: '{"a":1}' },
  { name: 'a translated route', path: '/test/echo', fields: json, body: '{"stringValue":"a"}' },
  { name: 'a translated stream', path: '/test/sum', fields: lines, body: '{"number":"1"}\n{"number":"2"}\n' },
  { name: 'a controller', path: '/door', fields: json, body: '{"a":1}' },
  { name: 'GraphQL', path: '/graphql', fields: json, body: query },
  { name: 'an event stream', path: '/graphql', fields: `${json}Accept: text/event-stream\r\n`, body: stream },
];

/** A gateway with every door, and what is behind them. */
export interface Doors {
  readonly shop: Shop;
  readonly kinds: KindsServer;
  /** The gateway's side of a client's connection. */
  acceptedFrom(client: RawClient): Promise<Socket>;
}

/**
 * Starts a gateway with all doors before the tests of a file; the services are as new for each.
 *
 * @param idleMs how long a client may be silent within its body; more where that is not what is tested. @param deadlineMs the same.
 */
export function useBodyDoors(idleMs = IDLE_MS, deadlineMs = DEADLINE_MS): Doors {
  const accepted = new Map<number | undefined, Socket>();
  const holder = {
    async acceptedFrom(client: RawClient) {
      await until(() => client.port !== 0 && accepted.has(client.port));
      return accepted.get(client.port) as Socket;
    },
  } as { shop: Shop; kinds: KindsServer; acceptedFrom(client: RawClient): Promise<Socket> };
  beforeAll(async () => {
    const kinds = (holder.kinds = await new KindsServer().start());
    const route = (id: string, upstream: string, policies = {}) => ({
      id,
      match: { path: `/${id}` },
      upstream,
      policies,
    });
    const shop = (holder.shop = await startShop({
      modules: [DoorModule],
      policies: { bodyIdle: `${idleMs}ms`, deadline: `${deadlineMs}ms`, rateLimit: LIMIT },
      upstreams: () => ({
        kinds: {
          protocol: 'grpc',
          descriptorSet: 'proto/test/kinds.binpb',
          targets: [kinds.url],
          timeouts: { idle: `${idleMs}ms` },
          // One failure would open it, so that it shows when a client is held against the target.
          circuitBreaker: { consecutiveFailures: 1, openFor: '1h' },
        },
      }),
      routes: [
        route('proxied', 'echo'),
        route('small', 'echo', { bodyLimit: '1KiB' }),
        route('guarded', 'echo', { authorization: { anyRole: ['nobody'] } }),
        { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
        {
          id: 'composed',
          match: { path: '/composed/{id}' },
          aggregate: { calls: { one: { upstream: 'echo', path: '/one/{id}' } } },
        },
      ],
    }));
    const server = shop.gateway.gateway.app.getHttpServer() as Server;
    server.on('connection', (socket: Socket) => accepted.set(socket.remotePort, socket));
  });
  beforeEach(() => {
    holder.kinds.reset();
    holder.shop.echo.listener = echo;
  });
  afterAll(async () => {
    await holder.shop.stop();
    holder.kinds.stop();
  });
  return holder;
}

/** What is sent to a door. */
export interface RawPost {
  readonly as?: 'app' | undefined;
  /** Default POST. */
  readonly method?: string | undefined;
  /** The length that is declared; default 1000. */
  readonly length?: number | 'chunked';
  readonly body?: string;
}

/** A client that writes bytes as it likes, and keeps what it hears. */
export class RawClient {
  readonly socket: Socket;
  /** Of its side, once it is connected. */
  port = 0;
  heard = '';
  readonly closed: Promise<unknown>;

  /** @param staysOpen whether it goes on sending after the gateway has ended its side. */
  constructor(url: string, staysOpen = false) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ port: Number(port), host: hostname, allowHalfOpen: staysOpen });
    this.socket.on('data', (chunk: Buffer) => (this.heard += chunk.toString('latin1')));
    this.socket.on('error', () => undefined).once('connect', () => (this.port = this.socket.localPort ?? 0));
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
  }

  /** Writes the head of a POST, and what is given of its body. */
  post(door: Pick<BodyDoor, 'path' | 'fields'>, more: RawPost): this {
    const { as, method = 'POST', length = 1000, body = '' } = more;
    const key = as === undefined ? '' : `X-API-Key: ${API_KEY}\r\n`;
    const size = length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
    this.socket.write(
      `${method} ${door.path} HTTP/1.1\r\nHost: x\r\n${key}${door.fields}${size}\r\n\r\n${body}`,
    );
    return this;
  }

  /** Waits until something holds. */
  async until(holds: (heard: string) => boolean): Promise<string> {
    while (!holds(this.heard) && !this.socket.destroyed) await sleep(5);
    return this.heard;
  }

  /** The head and body of the first answer. */
  answer(): Promise<string> {
    return this.until((heard) => heard.includes('\r\n\r\n'));
  }
}

/** Waits for as long as the test may take. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

/** The status of what a client has heard; 0 without an answer. */
export function statusIn(heard: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1] ?? 0);
}

/** The id that the gateway gave to the exchange of an answer. */
export function requestIdIn(heard: string): string {
  return /^x-request-id: *(\S+)/im.exec(heard)?.[1] ?? '';
}

/** The access line of an answer. */
export function lineOf({ shop }: Doors, heard: string): Promise<LogLine> {
  return shop.lineOfId(requestIdIn(heard));
}

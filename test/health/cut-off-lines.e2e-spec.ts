import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { z } from 'zod';
import { RawClient } from '../support/body-doors.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { startShop, type Shop } from '../support/shop.ts';
import { open as openSocket } from '../support/socket-client.ts';

const never = (): Promise<never> => new Promise(() => undefined);

@ObjectType()
class Hanging {
  @Field()
  readonly done!: boolean;
}

@Controller('hang')
class HangController {
  @Get()
  hang(): Promise<never> {
    return never();
  }

  @Post()
  take(@Body({ schema: z.unknown() }) body: unknown): object {
    return { body };
  }
}

@Resolver()
class HangResolver {
  @Query(() => Hanging)
  hang(): Promise<never> {
    return never();
  }
}

@Module({ controllers: [HangController], providers: [HangResolver] })
class HangModule {}

let shop: Shop;
let kinds: KindsServer;
let token: string;

beforeAll(async () => {
  kinds = await new KindsServer().start();
  kinds.hold = never();
  const route = (id: string) => ({ id, match: { path: `/${id}` }, upstream: 'echo' });
  shop = await startShop({
    modules: [HangModule],
    environment: () => ({ SHUTDOWN_TIMEOUT: '100ms' }),
    upstreams: () => ({
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
    }),
    routes: [
      route('silent'),
      route('stream'),
      {
        id: 'composed',
        match: { path: '/composed' },
        aggregate: { calls: { one: { upstream: 'echo', path: '/silent' } } },
      },
      { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
    ],
  });
  token = await shop.services.identity.token('user');
  shop.echo.listener = (request, response) => {
    if (request.url === '/stream') response.writeHead(200).write('first');
  };
});

afterAll(async () => {
  await Promise.all([shop.echo.stop(), shop.services.stop()]);
  kinds.stop();
});

const JSON_TYPE = 'Content-Type: application/json\r\n';
const EVENTS = 'Accept: text/event-stream\r\n';
const LINES = 'Content-Type: application/x-ndjson\r\n';
const operation = (query: string): string => JSON.stringify({ query });
const SUBSCRIPTION = operation('subscription { notificationAdded { id } }');

/** What is under way at each door, with the status of its line: of what was begun, or 503. */
const UNDER_WAY: readonly {
  readonly name: string;
  readonly line: string;
  readonly fields?: string;
  readonly body?: string;
  readonly status: number;
}[] = [
  { name: 'proxied', line: 'GET /silent', status: 503 },
  { name: 'proxied-begun', line: 'GET /stream', status: 200 },
  {
    name: 'proxied-upload',
    line: 'POST /silent',
    fields: 'Content-Length: 9\r\n',
    body: 'begun',
    status: 503,
  },
  {
    name: 'proxied-continue',
    line: 'POST /silent',
    fields: 'Content-Length: 9\r\nExpect: 100-continue\r\n',
    status: 503,
  },
  { name: 'composed', line: 'GET /composed', status: 503 },
  { name: 'translated', line: 'GET /test/items/a', status: 503 },
  { name: 'translated-stream', line: 'GET /test/count/9', status: 200 },
  {
    name: 'translated-upload',
    line: 'POST /test/sum',
    fields: `${LINES}Content-Length: 99\r\n`,
    body: '{}\n',
    status: 503,
  },
  { name: 'controller', line: 'GET /hang', status: 503 },
  {
    name: 'controller-upload',
    line: 'POST /hang',
    fields: `${JSON_TYPE}Content-Length: 9\r\n`,
    body: '{',
    status: 503,
  },
  {
    name: 'graphql',
    line: 'POST /graphql',
    fields: JSON_TYPE,
    body: operation('{ hang { done } }'),
    status: 503,
  },
  {
    name: 'graphql-events',
    line: 'POST /graphql',
    fields: JSON_TYPE + EVENTS,
    body: SUBSCRIPTION,
    status: 200,
  },
];

const SOCKETS = ['/test/talk/x', '/graphql'];
const socketId = (path: string): string => `socket-of${path.replaceAll('/', '-')}`;

/** Begins a request and leaves it as it is. */
function begin({ name, line, fields = '', body }: (typeof UNDER_WAY)[number]): RawClient {
  const one = new RawClient(shop.gateway.url);
  const isWhole = body !== undefined && !fields.includes('Content-Length');
  const length = isWhole ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : '';
  const ours = `Host: a\r\nAuthorization: Bearer ${token}\r\nX-Request-Id: line-of-${name}\r\n`;
  one.socket.write(`${line} HTTP/1.1\r\n${ours}${fields}${length}\r\n${body ?? ''}`);
  return one;
}

describe('a shutdown that has waited long enough', () => {
  it('leaves the line of whatever it cuts off, at any door, once', async () => {
    const clients = UNDER_WAY.map(begin);
    const opened = await Promise.all(
      SOCKETS.map((path) =>
        openSocket(path, {
          url: shop.gateway.url,
          headers: { authorization: `Bearer ${token}`, 'x-request-id': socketId(path) },
          protocols: path === '/graphql' ? ['graphql-transport-ws'] : [],
        }),
      ),
    );
    const begun = UNDER_WAY.flatMap(({ status }, i) => (status === 200 ? [clients[i] as RawClient] : []));
    await Promise.all(begun.map((one) => one.answer()));
    await clients[3]?.answer();
    await shop.gateway.stop();
    await Promise.all([...clients.map(({ closed }) => closed), ...opened.map(({ closed }) => closed)]);
    const refused = { stage: 'open', code: 'shutting-down' };
    for (const { name, status } of UNDER_WAY) {
      const line = await shop.lineOfId(`line-of-${name}`);
      // Streams of events are told to come back over two seconds: this one may have been before the time was over.
      const isTold = name === 'graphql-events' && line.cut === undefined;
      expect({ name, ...line }).toMatchObject({ name, status, ...(!isTold && { cut: true, refused }) });
    }
    for (const path of SOCKETS)
      expect(await shop.lineOfId(socketId(path))).toMatchObject({ path, status: 101 });
  });
});

import { Controller, Get, HttpCode, Module, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { connect } from 'node:net';
import { Deadline } from '../../src/policies/deadline/deadline.policy.ts';
import { Problem } from '../../src/problems/problem.ts';
import { KindsServer } from './kinds-server.ts';
import { API_KEY, type Shop, type ShopOptions } from './shop.ts';

/** A request whose answer one of the writers of heads writes. */
export interface Written {
  readonly name: string;
  /** The request line up to its version. */
  readonly line: string;
  readonly status: number;
  /** More header fields; a credential is sent unless these name one, or none. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whose credential it has; default an application's. */
  readonly as?: 'nobody' | 'user';
  /** How far it came: to its route, and then through its limit. Default: both. */
  readonly reached?: 'nothing' | 'route';
  /** What is said of the connection; default that it stays. */
  readonly connection?: 'keep-alive' | 'close' | 'Upgrade';
}

const HANDSHAKE = {
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const GRAPHQL_SOCKET = { ...HANDSHAKE, 'Sec-WebSocket-Protocol': 'graphql-transport-ws' };
const EVENTS = { Accept: 'text/event-stream' };
const QUERY = JSON.stringify({ query: '{ __typename }' });
const JSON_TYPE = { 'Content-Type': 'application/json' };
const POST_QUERY = { line: 'POST /graphql', body: QUERY, status: 200 };

/** What routes answer. */
export const ANSWERS: readonly Written[] = [
  { name: 'a proxied answer', line: 'GET /open/200', status: 200 },
  { name: 'a proxied answer to HEAD', line: 'HEAD /open/200', status: 200 },
  { name: 'a proxied 204', line: 'GET /open/204', status: 204 },
  { name: 'a proxied 304', line: 'GET /open/304', status: 304 },
  { name: 'a proxied 500', line: 'GET /open/500', status: 500 },
  { name: 'a proxied stream of events', line: 'GET /open/events', status: 200 },
  { name: 'a masked answer', line: 'GET /masked/200', status: 200 },
  { name: 'a stored answer', line: 'GET /stored/200', status: 200 },
  { name: 'a translated answer', line: 'GET /test/query', status: 200 },
  { name: 'a translated stream of events', line: 'GET /test/count/2', fields: EVENTS, status: 200 },
  { name: 'a translated stream of lines', line: 'GET /test/count/0', status: 200 },
  { name: 'a composed answer', line: 'GET /composed', status: 200 },
  { name: 'a controller', line: 'GET /door', status: 200 },
  { name: 'a controller, asked by HEAD', line: 'HEAD /door', status: 200 },
  { name: 'a 204 of a controller', line: 'GET /door/empty', status: 204 },
  { name: 'a 304 of a controller', line: 'GET /door/known', status: 304 },
  { name: 'a view', line: 'GET /api/homepage', as: 'user', status: 200 },
  {
    name: 'a view as a stream of events',
    line: 'GET /api/homepage',
    as: 'user',
    fields: EVENTS,
    status: 200,
  },
  { name: 'GraphQL', ...POST_QUERY, fields: JSON_TYPE },
  { name: 'GraphQL by GET', line: 'GET /graphql?query=%7B__typename%7D', status: 200 },
  {
    name: 'a refusal in GraphQL',
    line: 'GET /graphql?query=%7B',
    fields: { Accept: 'application/graphql-response+json' },
    status: 400,
  },
  { name: 'GraphQL over events', ...POST_QUERY, fields: { ...JSON_TYPE, ...EVENTS } },
  { name: 'a reserved stream of GraphQL', line: 'PUT /graphql', body: '{}', fields: JSON_TYPE, status: 201 },
];

/** Sockets that open. */
export const SOCKETS: readonly Written[] = (
  [
    { name: 'a GraphQL socket', line: 'GET /graphql', fields: GRAPHQL_SOCKET },
    { name: 'a translated socket', line: 'GET /test/chat/x', fields: HANDSHAKE },
  ] as const
).map((socket) => ({ ...socket, status: 101, connection: 'Upgrade' }));

const FOREIGN = { Origin: 'https://evil.example' };
const BAD_KEY = { 'Sec-WebSocket-Key': 'x' };

/** What the gateway itself says no with. */
export const PROBLEMS: readonly Written[] = [
  { name: '400 of the path', line: 'GET /open//200', status: 400, reached: 'nothing' },
  { name: '400 of a controller', line: 'GET /door/bad', status: 400 },
  { name: '401 at the proxy', line: 'GET /open/200', as: 'nobody', status: 401, reached: 'route' },
  { name: '401 at a controller', line: 'GET /door', as: 'nobody', status: 401, reached: 'route' },
  {
    name: '401 at GraphQL',
    ...POST_QUERY,
    fields: JSON_TYPE,
    as: 'nobody',
    status: 401,
    reached: 'route',
  },
  { name: '403 at the proxy', line: 'GET /guarded', status: 403, reached: 'route' },
  { name: '404 without a route', line: 'GET /nowhere', status: 404, reached: 'nothing' },
  { name: '404 of a controller', line: 'GET /door/missing', status: 404 },
  { name: '405', line: 'DELETE /stored/200', status: 405, reached: 'nothing' },
  {
    name: '413 before the body is there',
    line: 'POST /small',
    fields: { 'Content-Length': '5000' },
    status: 413,
    connection: 'close',
  },
  {
    name: '417',
    line: 'GET /open/200',
    fields: { Expect: 'something-else' },
    status: 417,
    reached: 'nothing',
  },
  { name: '426', line: 'GET /test/talk/x', status: 426, connection: 'close' },
  { name: '429 at the proxy', line: 'GET /limited', status: 429 },
  { name: '429 at the proxy, asked by HEAD', line: 'HEAD /limited', status: 429 },
  { name: '502', line: 'GET /gone', status: 502 },
  { name: '503 of an open breaker', line: 'GET /broken', status: 503 },
  { name: '504 at the proxy', line: 'GET /slow', status: 504 },
  { name: '504 at a controller', line: 'GET /door/slow', status: 504 },
];

/** Handshakes that are refused in HTTP; each ends its connection. */
export const REFUSED_SOCKETS: readonly Written[] = (
  [
    {
      name: 'GraphQL, of a foreign page',
      line: 'GET /graphql',
      fields: { ...GRAPHQL_SOCKET, ...FOREIGN },
      status: 403,
      as: 'nobody',
      reached: 'route',
    },
    {
      name: 'GraphQL, with a bad key',
      line: 'GET /graphql',
      fields: { ...GRAPHQL_SOCKET, ...BAD_KEY },
      status: 400,
    },
    {
      name: 'GraphQL, with a bad credential',
      line: 'GET /graphql',
      fields: { ...GRAPHQL_SOCKET, Authorization: 'Bearer x' },
      status: 401,
      reached: 'route',
    },
    {
      name: 'translated, with a bad key',
      line: 'GET /test/chat/x',
      fields: { ...HANDSHAKE, ...BAD_KEY },
      status: 400,
    },
    {
      name: 'translated, without a credential',
      line: 'GET /test/chat/x',
      fields: HANDSHAKE,
      as: 'nobody',
      status: 401,
      reached: 'route',
    },
  ] as const
).map((socket) => ({ ...socket, connection: 'close' }));

/** What the parser refuses: there is no exchange. */
export const UNPARSED: readonly Written[] = (
  [
    { name: '400 of a field', line: 'GET /open/200', fields: { 'bad name': 'x' }, status: 400 },
    { name: '501', line: 'GARBAGE /open/200', status: 501 },
    { name: '414', line: `GET /open/${'x'.repeat(20_000)}`, status: 414 },
    { name: '431', line: 'GET /open/200', fields: { 'X-Large': 'x'.repeat(20_000) }, status: 431 },
  ] as const
).map((refused) => ({ ...refused, reached: 'nothing', connection: 'close' }));

@Controller('door')
class DoorController {
  @Get()
  show(): object {
    return { shown: true };
  }

  @Get('empty')
  @HttpCode(204)
  empty(): void {}

  @Get('known')
  known(@Res({ passthrough: true }) reply: FastifyReply): void {
    void reply.header('etag', '"a"').code(304);
  }

  @Get('bad')
  bad(): never {
    throw new Problem('request-invalid');
  }

  @Get('missing')
  missing(): never {
    throw new Problem('resource-not-found');
  }

  @Get('slow')
  @Deadline('50ms')
  slow(): Promise<never> {
    return new Promise(() => {});
  }
}

@Module({ controllers: [DoorController] })
class DoorModule {}

const CALM = { circuitBreaker: 'off', retry: { attempts: 1 } };
const DEAD = { targets: ['http://127.0.0.1:1'] };

const route = (id: string, path: string, more: object = {}): object => ({
  id,
  match: { path },
  upstream: 'echo',
  ...more,
});

/** A gateway with a route for each writer, whose transform edits every head. */
export function writersShop(kinds: KindsServer, transform: object): ShopOptions {
  const masked = { response: { ...(transform as { response: object }).response, maskFields: ['secret'] } };
  return {
    modules: [DoorModule],
    policies: { rateLimit: { key: 'global', rate: 100_000, per: '1d' }, deadline: '700ms', transform },
    upstreams: () => ({
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
      gone: { ...DEAD, ...CALM },
      broken: { ...DEAD, circuitBreaker: { consecutiveFailures: 1, openFor: '1h' } },
    }),
    routes: [
      route('open', '/open/*'),
      route('masked', '/masked/*', { policies: { transform: masked } }),
      {
        ...route('stored', '/stored/*'),
        match: { path: '/stored/*', methods: ['GET'] },
        policies: { cache: { ttl: '1h' } },
      },
      route('guarded', '/guarded', { policies: { authorization: { anyRole: ['nobody'] } } }),
      route('small', '/small', { policies: { bodyLimit: '1KiB' } }),
      route('limited', '/limited', { policies: { rateLimit: { key: 'global', rate: 1, per: '1d' } } }),
      route('slow', '/slow', { policies: { deadline: '50ms' } }),
      route('gone', '/gone', { upstream: 'gone' }),
      route('broken', '/broken', { upstream: 'broken' }),
      { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
      {
        id: 'composed',
        match: { path: '/composed' },
        aggregate: { calls: { one: { upstream: 'echo', path: '/one' } } },
      },
    ] as never,
  };
}

/** The head of an answer, as it stood on the wire. */
export interface WireHead {
  readonly status: number;
  /** Values by lower-case name, one for each line. */
  readonly lines: Readonly<Record<string, readonly string[]>>;
  /** What came with it. */
  readonly rest: string;
}

/** Sends a request over a connection of its own and returns the head of its answer. */
export async function writtenHead(
  { gateway, services }: Shop,
  { line, fields = {}, body, as }: Written,
): Promise<WireHead> {
  const key = as === undefined && fields['Authorization'] === undefined ? { 'X-API-Key': API_KEY } : {};
  const all = {
    Host: 'x',
    ...(as === 'user' ? { Authorization: `Bearer ${await services.identity.token('user')}` } : key),
    ...(body === undefined ? {} : { 'Content-Length': String(body.length) }),
    ...fields,
  };
  const text = Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
      if (!heard.includes('\r\n\r\n')) return;
      socket.destroy();
      resolve(parsed(heard));
    });
    socket
      .once('error', reject)
      .once('close', () => reject(new Error(`no head for ${line}; heard: ${heard}`)));
    socket.write(`${line} HTTP/1.1\r\n${text}\r\n${body ?? ''}`);
  });
}

function parsed(text: string): WireHead {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...fields] = text.slice(0, end).split('\r\n');
  const lines: Record<string, string[]> = {};
  for (const field of fields) {
    const at = field.indexOf(':');
    (lines[field.slice(0, at).toLowerCase()] ??= []).push(field.slice(at + 1).trim());
  }
  return { status: Number(first.split(' ')[1]), lines, rest: text.slice(end + 4) };
}

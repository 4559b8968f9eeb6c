import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, HttpException, Module, Post, Query as QueryValue } from '@nestjs/common';
import { Args, Int, Query, Resolver } from '@nestjs/graphql';
import { Metadata, status } from '@grpc/grpc-js';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { speak, type Answer, type CallOptions } from '../support/client.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { MARK, TRACES } from '../support/marks.ts';
import { API_KEY, startShop, type RouteInput, type Shop, type ShopCall } from '../support/shop.ts';
import { connect } from '../support/socket-client.ts';
import {
  echo,
  startTcpUpstream,
  startUpstream,
  type TcpUpstream,
  type TestUpstream,
} from '../support/upstream.ts';

const OF_MARK = Buffer.from(MARK.repeat(3));

const TEXT = z.object({ text: z.string() });

@Controller('team')
@Public()
class QuotingController {
  @Post('throw')
  throws(@Body({ schema: TEXT }) body: { text: string }): never {
    throw Object.assign(
      new Error(`no such thing: ${body.text}\n    at ${body.text} (x.ts:1:1)`, { cause: body }),
      {
        code: body.text,
        request: body,
      },
    );
  }

  @Post('refuse')
  refuses(@Body({ schema: TEXT }) body: { text: string }): never {
    throw new HttpException({ text: body.text }, 422, { cause: new Error(body.text) });
  }

  @Post('text')
  throwsText(@Body({ schema: TEXT }) body: { text: string }): never {
    throw body.text as unknown as Error;
  }

  @Get('parse')
  parses(@QueryValue('text', { schema: z.string() }) text: string): unknown {
    return JSON.parse(text);
  }
}

@Resolver()
class QuotingResolver {
  @Query(() => Int)
  quote(@Args('text') text: string): number {
    throw new Error(`cannot quote ${text}`);
  }
}

@Module({ controllers: [QuotingController], providers: [QuotingResolver] })
class QuotingModule {}

const PUBLIC = { authentication: 'public' };
const proxied = (id: string, policies: object = PUBLIC, upstream = 'echo'): RouteInput => ({
  id,
  match: { path: `/${id}` },
  upstream,
  policies,
});
const composed = (id: string, upstream: string, path: string): RouteInput => ({
  id,
  match: { path: `/${id}` },
  aggregate: { calls: { part: { upstream, path, budget: '5s', required: id.startsWith('needs') } } },
  policies: PUBLIC,
});

const ROUTES: readonly RouteInput[] = [
  proxied('open'),
  proxied('closed', { authentication: { schemes: ['jwt', 'apiKey'] } }),
  proxied('admins', {
    authentication: { schemes: ['jwt', 'apiKey'] },
    authorization: { anyRole: ['admin'] },
  }),
  proxied('limited', { ...PUBLIC, rateLimit: { key: 'ip', rate: 1, per: '1d' } }),
  proxied('small', { ...PUBLIC, bodyLimit: '4B' }),
  proxied('masked', { ...PUBLIC, transform: { response: { maskFields: ['a'] } } }),
  proxied('gone', PUBLIC, 'gone'),
  proxied('garbage', PUBLIC, 'garbage'),
  composed('composed', 'echo', '/p?q={query.q}'),
  composed('needs', 'echo', '/p/{query.q}'),
  composed('needs-gone', 'gone', '/p'),
  { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' }, policies: PUBLIC },
];

let shop: Shop;
let kinds: KindsServer;
let garbage: TcpUpstream;
let jwks: TestUpstream;

beforeAll(async () => {
  kinds = await new KindsServer().start();
  garbage = await startTcpUpstream((socket) => socket.end(`${MARK} 200 ${MARK}\r\n${MARK}\r\n\r\n${MARK}`));
  jwks = await startUpstream((_request, response) => void response.end(`${MARK}{"keys":${MARK}`));
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
  shop = await startShop({
    routes: ROUTES,
    modules: [QuotingModule],
    upstreams: () => ({
      gone: { targets: ['http://127.0.0.1:1'], ...calm },
      garbage: { targets: [garbage.url], ...calm },
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url], ...calm },
    }),
    more: {
      trustedProxies: ['loopback'],
      graphql: { policies: { authentication: { schemes: ['jwt', 'apiKey'] } } },
    },
    policies: {},
  });
});
afterAll(async () => {
  await shop.stop();
  kinds.stop();
  await Promise.all([garbage.stop(), jwks.stop()]);
});
beforeEach(() => {
  shop.echo.listener = echo;
  kinds.reset();
});

let seen = 0;
/** Fails with the lines that hold the mark. One that comes later fails the test after, or the very last. */
async function expectNoTrace(): Promise<void> {
  await sleep(3);
  const fresh = shop.gateway.lines.slice(seen);
  seen += fresh.length;
  expect(fresh.filter((line) => TRACES.some((one) => JSON.stringify(line).includes(one)))).toEqual([]);
}

const send = (path: string, options: ShopCall = {}): Promise<Answer> => shop.call(path, options);

const JSON_TYPE = { 'content-type': 'application/json' };
const asJson = (value: unknown, headers: object = {}): CallOptions => ({
  method: 'POST',
  headers: { ...JSON_TYPE, ...headers },
  body: typeof value === 'string' ? value : JSON.stringify(value),
});

/** Every place of a plain request that a client fills, but the path, whose segments are logged by design. */
const PLACES: readonly [string, string, CallOptions][] = [
  ['a query without =', `?${MARK}`, {}],
  ['a query of several without =', `?a=1&${MARK}&${MARK}`, {}],
  ['a query value', `?q=${MARK}&token=${MARK}`, {}],
  ['a query that is base64', `?${OF_MARK.toString('base64')}=`, {}],
  ['a query with an encoded =', `?a%3D${MARK}=1`, {}],
  ['a path parameter', `;jsessionid=${MARK}`, {}],
  ['a fragment', `#${MARK}`, {}],
  ['a header name', '', { headers: { [`x-${MARK}`]: '1' } }],
  [
    'a header value',
    '',
    { headers: { 'x-any': MARK, 'user-agent': MARK, referer: `http://${MARK}/${MARK}` } },
  ],
  ['a bearer token', '', { headers: { authorization: `Bearer ${MARK}` } }],
  ['a token with such a header', '', { headers: { authorization: `Bearer ${fakeToken()}` } }],
  ['a password', '', { headers: { authorization: `Basic ${OF_MARK.toString('base64')}` } }],
  ['an API key', '', { headers: { 'x-api-key': MARK } }],
  ['a cookie', '', { headers: { cookie: `session=${MARK}; ${MARK}` } }],
  ['a host', '', { headers: { host: `${MARK}.example` } }],
  ['a bad host', '', { headers: { host: `${MARK}/@` } }],
  [
    'forwarding fields',
    '',
    { headers: { 'x-forwarded-for': `${MARK}, 203.0.113.9`, forwarded: `for=${MARK}` } },
  ],
  ['a trace', '', { headers: { traceparent: `00-${MARK}`, tracestate: `${MARK}=${MARK}`, baggage: MARK } }],
  ['a request id that is none', '', { headers: { 'x-request-id': `${MARK} ${MARK}` } }],
  ['a media type', '', { method: 'POST', headers: { 'content-type': `${MARK}/${MARK}` }, body: MARK }],
  ['an Accept', '', { headers: { accept: `${MARK}/json`, 'accept-language': MARK } }],
  ['a body', '', asJson({ text: MARK, [MARK]: MARK })],
  ['a body that is no JSON', '', asJson(`{"text": ${MARK}`)],
  ['a list as a body', '', asJson([MARK, { [MARK]: [MARK] }])],
  ['a socket protocol', '', { headers: { 'sec-websocket-protocol': `bearer.${MARK}, ${MARK}` } }],
  ['an upgrade', '', { headers: { connection: 'upgrade', upgrade: MARK } }],
];

function fakeToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', kid: MARK, typ: MARK })}.${part({ iss: MARK, sub: MARK })}.${MARK}`;
}

const DOORS: readonly string[] = [
  '/open', '/closed', '/admins', '/limited', '/small', '/masked', '/gone', '/garbage',
  '/composed', '/needs', '/needs-gone',
  '/test/echo', '/test/items/1', '/test/int64/1/RED', '/test/count/2', '/test/chat/1', '/test/sum',
  '/api/v1/orders', '/api/v1/orders/1', '/api/homepage', '/health/ready',
  '/team/throw', '/team/refuse', '/team/text', '/team/parse',
  '/graphql', '/nowhere', '/a//b',
]; // prettier-ignore

describe('no line of the log holds what came in any place of a request', () => {
  it.each(DOORS)('to %s', async (door) => {
    for (const [, suffix, options] of PLACES) {
      await send(door + suffix, options);
      await send(door + suffix, { ...options, headers: { 'x-api-key': API_KEY, ...options.headers } });
    }
    await expectNoTrace();
  });
});

describe('no line of the log holds', () => {
  const claims = { email: MARK, tid: MARK, roles: [MARK], scope: MARK, name: MARK, tier: MARK, [MARK]: MARK };

  it.each([
    ['of a good token', {}],
    ['of one of another issuer', { iss: MARK }],
    ['of one for another audience', { aud: MARK }],
    ['of one that has expired', { exp: 1 }],
    ['of one without an expiry that is a time', { exp: MARK as unknown as number }],
    ['of one that is not good yet', { nbf: 4e9 }],
    ['of one without a subject that is a text', { sub: { [MARK]: MARK } as unknown as string }],
  ])('a claim %s', async (_of, more) => {
    const token = await shop.services.identity.token('user', { ...claims, ...more });
    for (const path of ['/closed', '/admins', '/api/homepage', '/graphql'])
      await send(path, { headers: { authorization: `Bearer ${token}` } });
    await expectNoTrace();
    expect(JSON.stringify(shop.gateway.lines)).not.toContain(token.split('.')[1]);
  });

  it.each([
    ['a document', { query: `{ ${MARK} }` }],
    ['a document that is none', { query: `{ ${MARK}` }],
    ['an operation name', { query: `query ${MARK} { longest: __typename }`, operationName: MARK }],
    ['an alias', { query: `{ ${MARK}: quote(text: "${MARK}") }` }],
    ['a literal', { query: `{ quote(text: "${MARK}") }` }],
    [
      'a variable',
      { query: 'query ($t: String!) { quote(text: $t) }', variables: { t: MARK, [MARK]: MARK } },
    ],
    ['a bad variable', { query: 'query ($t: Int!) { quote(text: $t) }', variables: { t: MARK } }],
    ['an extension', { query: '{ __typename }', extensions: { persistedQuery: { sha256Hash: MARK } } }],
    ['a document id', { documentId: MARK }],
    ['a directive', { query: `{ __typename @${MARK}(a: "${MARK}") }` }],
  ])('%s of GraphQL, over POST, GET, an event stream and a WebSocket', async (_what, body) => {
    const headers = { 'x-api-key': API_KEY };
    const flat = Object.entries(body).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
    const query = `?${new URLSearchParams(flat as [string, string][]).toString()}`;
    await send('/graphql', asJson(body, headers));
    await send(`/graphql${query}`, { headers: { ...headers, 'x-apollo-operation-name': MARK } });
    await send('/graphql', asJson(body, { ...headers, accept: 'text/event-stream' }));
    await send(`/graphql/stream${query}`, { headers: { ...headers, accept: 'text/event-stream' } });
    await overSocket('/graphql', [
      { type: 'connection_init', payload: { 'x-api-key': API_KEY, note: MARK } },
      { id: MARK, type: 'subscribe', payload: body },
      { id: '2', type: 'subscribe', payload: MARK },
    ], 'graphql-transport-ws'); // prettier-ignore
    await expectNoTrace();
  });

  it.each([
    ['a bad token', [{ type: 'connection_init', payload: { authorization: `Bearer ${MARK}` } }]],
    ['a message that is no JSON', [MARK]],
    ['a message of no type', [{ type: MARK, payload: MARK }]],
  ])('%s on a socket of GraphQL', async (_what, messages) => {
    await overSocket('/graphql', messages, 'graphql-transport-ws');
    await expectNoTrace();
  });

  it.each([[`{"number":1,"note":"${MARK}"}`], [`{"${MARK}":1}`], [MARK], [`{"number":"${MARK}"}`]])(
    'the message %p on a socket of gRPC',
    async (message) => {
      await overSocket(`/test/chat/1?note=${MARK}`, [message]);
      await overSocket(`/test/chat/1?${MARK}`, [message]);
      await expectNoTrace();
    },
  );

  it.each(Object.entries(status).filter(([, code]) => typeof code === 'number' && code !== status.OK))(
    'what a service says with %s',
    async (_name, code) => {
      const metadata = new Metadata();
      metadata.set('x-secret', MARK);
      metadata.set('grpc-status-details-bin', OF_MARK);
      kinds.refusal = { code: code as status, details: MARK, metadata };
      await send('/test/echo', asJson({}));
      await send('/test/count/2');
      await send('/test/sum', asJson('{}\n'));
      await overSocket('/test/chat/1', ['{"number":1}']);
      await expectNoTrace();
    },
  );

  it.each([
    ['a body with 500', 500, MARK],
    ['a body with 404', 404, `{"${MARK}":"${MARK}"}`],
    ['a body that is no JSON', 200, `{"a": ${MARK}`],
    ['a body of another shape', 200, `["${MARK}", {"${MARK}": "${MARK}"}]`],
    ['a redirect', 302, MARK],
  ])('%s of an upstream', async (_what, code, body) => {
    shop.echo.listener = (_request, response) => {
      const fields = {
        'content-type': 'application/json',
        'x-any': MARK,
        location: MARK,
        [`x-${MARK}`]: MARK,
      };
      response.writeHead(code, MARK, fields).end(body);
    };
    for (const path of ['/open', '/masked', '/composed?q=1', '/needs?q=1']) await send(path);
    await expectNoTrace();
  });

  it('an answer of an upstream that breaks off', async () => {
    shop.echo.listener = (_request, response) =>
      void response.writeHead(200, { 'content-length': 99 }).write(MARK, () => response.destroy());
    for (const path of ['/open', '/masked', '/composed?q=1', '/needs?q=1'])
      await send(path).catch(() => undefined);
    await expectNoTrace();
  });

  it.each([
    `GET /open HTTP/9.${MARK}\r\n\r\n`,
    `${MARK} /open HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /open HTTP/1.1\r\nHost: x\r\n${MARK}\r\n\r\n`,
    `GET /open HTTP/1.1\r\nHost: x\r\nX-Any: ${MARK}\0\r\n\r\n`,
    `GET /open HTTP/1.1\r\nHost: x\r\nContent-Length: ${MARK}\r\n\r\n`,
    `GET /open HTTP/1.1\r\nHost: x\r\nHost: ${MARK}\r\n\r\n`,
    `GET /open HTTP/1.1\r\nHost: x\r\nExpect: ${MARK}\r\nConnection: close\r\n\r\n`,
    `GET /open#${MARK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    `GET http://${MARK}:${MARK}@${MARK}/open?${MARK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    `GET /open HTTP/1.1\r\nHost: x\r\nX-Any: ${MARK.repeat(2000)}\r\n\r\n`,
    `POST /open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${MARK}\r\n`,
    `CONNECT ${MARK}:443 HTTP/1.1\r\nHost: ${MARK}\r\n\r\n`,
  ])('what the parser refuses: %p', async (bytes) => {
    await speak(shop.gateway.url, bytes);
    await expectNoTrace();
  });

  it('what an issuer publishes instead of keys', async () => {
    const other = await startShop({
      routes: [proxied('closed', { authentication: { schemes: ['jwt'] } })],
      issuer: { jwks: jwks.url },
    });
    expect((await other.call('/closed', { as: 'user' })).status).toBe(503);
    await other.gateway.linesWhere((line) => line.msg.includes('cannot be loaded'));
    expect(JSON.stringify(other.gateway.lines)).toContain('cannot be loaded (what came is not a key set)');
    for (const trace of TRACES) expect(JSON.stringify(other.gateway.lines)).not.toContain(trace);
    await other.stop();
  });
});

/** Opens a socket, says all messages, and waits for its end; whatever the gateway makes of it. */
async function overSocket(path: string, messages: readonly unknown[], protocol?: string): Promise<void> {
  const url = shop.gateway.url;
  const { socket } = connect(path, { url, ...(protocol === undefined ? {} : { protocols: [protocol] }) });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const opened = once(socket, 'open').then(
    () => 'open',
    () => undefined,
  );
  if ((await Promise.race([opened, closed])) !== 'open') return;
  socket.removeAllListeners('message');
  for (const message of messages)
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  if (protocol === undefined) socket.send('');
  await Promise.race([closed, sleep(60)]);
  socket.close();
  await closed;
}

describe('the fuzz', () => {
  it('has seen the lines of all exchanges', async () => {
    await sleep(100);
    await expectNoTrace();
  });

  it('met every refusal that these doors have', () => {
    const codes = new Set(
      shop.gateway.lines.flatMap((line) => {
        const refused = line['refused'] as { code?: string } | undefined;
        return refused?.code === undefined ? [] : [refused.code];
      }),
    );
    for (const code of [
      'request-malformed', 'headers-too-large', 'route-not-found', 'credentials-missing', 'credentials-invalid',
      'credentials-expired', 'permission-denied', 'rate-limited', 'body-too-large', 'request-invalid',
      'upstream-unreachable', 'upstream-response-invalid', 'upstream-rejected', 'upstream-timeout',
      'resource-not-found', 'conflict', 'upstream-exhausted', 'not-implemented', 'media-type-unsupported', 'internal',
    ]) expect([...codes]).toContain(code); // prettier-ignore
  });

  it('would find a mark, also in base64', () => {
    for (const lead of ['', 'a', 'ab']) {
      const line = Buffer.from(`{${lead}${MARK}}`).toString('base64url');
      expect(TRACES.some((trace) => line.includes(trace))).toBe(true);
    }
  });
});

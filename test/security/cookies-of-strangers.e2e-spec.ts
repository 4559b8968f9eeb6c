import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { refused, open } from '../support/socket-client.ts';
import { useShop } from '../support/shop.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';
import type { Answer } from '../support/client.ts';

const COOKIE = '__Host-token';
const PAGE = 'https://app.example.com';
const KIB = 1024;

const holder = useShop({
  identity: { tokens: { cookie: { name: COOKIE, origins: [PAGE] }, maxSize: '32KiB' } },
  more: {
    listeners: [{ port: 0, http2: true }],
    graphql: { subscriptions: { origins: [PAGE, 'https://evil.example'] } },
  },
  routes: [
    { id: 'echo', match: { path: '/api/*' }, upstream: 'echo' },
    // Services mostly take heads of 16 KiB only.
    { id: 'fixed', match: { path: '/fixed' }, respond: { status: 200, body: 'x' } },
    {
      id: 'socket',
      match: { path: '/socket' },
      upstream: 'echo',
      webSocket: { origins: [PAGE, 'https://evil.example'] },
    },
    {
      id: 'open',
      match: { path: '/open' },
      upstream: 'echo',
      webSocket: 'on',
      policies: { authentication: 'public' },
    },
  ],
});

let token: string;
let sockets: SocketService;
beforeAll(async () => {
  token = await holder.shop.services.identity.token('user');
  sockets = echoSockets(holder.shop.echo.server);
});
beforeEach(() => void (holder.shop.echo.requests.length = 0));
afterAll(() => sockets.stop());

const cookie = (value = token, name = COOKIE): string => `${name}=${value}`;

function send(method: string, headers: Record<string, string | string[]>, body?: string): Promise<Answer> {
  return holder.shop.call('/api/x', { method, headers: { cookie: cookie(), ...headers }, body });
}

describe('a cookie that a browser adds by itself', () => {
  it.each([
    ['GET of a page of ours', 'GET', {}, 200],
    ['HEAD', 'HEAD', {}, 200],
    ['OPTIONS that is no preflight', 'OPTIONS', {}, 200],
    [
      'GET that names a strange page, which cannot read the answer',
      'GET',
      { origin: 'https://evil.example' },
      200,
    ],
    ['POST of a page that is allowed', 'POST', { origin: PAGE }, 200],
    ['POST of another page', 'POST', { origin: 'https://evil.example' }, 403],
    ['POST of nobody', 'POST', {}, 403],
    ['POST of a page without an origin', 'POST', { origin: 'null' }, 403],
    ['POST of an empty origin', 'POST', { origin: '' }, 403],
    ['POST of the origin in capitals', 'POST', { origin: PAGE.toUpperCase() }, 403],
    ['POST of the same host in the clear', 'POST', { origin: 'http://app.example.com' }, 403],
    ['POST of another port', 'POST', { origin: `${PAGE}:8443` }, 403],
    ['POST of a host below', 'POST', { origin: 'https://x.app.example.com' }, 403],
    ['POST of a host that begins alike', 'POST', { origin: `${PAGE}.evil.example` }, 403],
    ['POST of a list of origins', 'POST', { origin: `https://evil.example, ${PAGE}` }, 403],
    ['POST that only refers to the page', 'POST', { referer: `${PAGE}/x` }, 403],
    ['POST that says it is from our site', 'POST', { 'sec-fetch-site': 'same-origin' }, 403],
    ['POST that says it is a GET', 'POST', { 'x-http-method-override': 'GET' }, 403],
    ['PUT', 'PUT', {}, 403],
    ['PATCH', 'PATCH', {}, 403],
    ['DELETE', 'DELETE', {}, 403],
    ['a method that nobody knows to be safe', 'PROPFIND', {}, 403],
  ])('lets a %s through, or not', async (_what, method, headers, status) => {
    const answer = await send(method, headers);
    expect(answer.status).toBe(status);
    expect(holder.shop.echo.requests).toHaveLength(status === 200 ? 1 : 0);
    if (status === 403) expect(answer.json()).toMatchObject({ code: 'permission-denied' });
  });

  it('is no better with two origins, one of which is allowed', async () => {
    expect((await send('POST', { origin: [PAGE, 'https://evil.example'] })).status).not.toBe(200);
    expect(holder.shop.echo.requests).toHaveLength(0);
  });

  it('counts for nothing beside a bad Authorization, and needs no page beside a good one', async () => {
    expect((await send('GET', { authorization: 'Bearer x.y.z' })).status).toBe(401);
    expect((await send('POST', { authorization: `Bearer ${token}` })).status).toBe(200);
  });
});

describe('a cookie that somebody else has set as well', () => {
  it.each([
    ['the same name twice', () => `${cookie()}; ${cookie('x.y.z')}`],
    ['the same name twice, the good one last', () => `${cookie('x.y.z')}; ${cookie()}`],
    ['the same token twice', () => `${cookie()};${cookie()}`],
    ['the name in two fields', () => [cookie('x.y.z'), cookie()]],
    ['another name', () => cookie(token, 'token')],
    ['the name in small letters', () => cookie(token, COOKIE.toLowerCase())],
    ['a name that begins alike', () => cookie(token, `${COOKIE}2`)],
    ['the name within a value', () => `a=${cookie()}`],
    ['nothing in it', () => cookie('')],
    ['a value in quotes', () => cookie(`"${token}"`)],
  ])('is no credential: %s', async (_what, value) => {
    const answer = await send('GET', { cookie: value() });
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain(token);
    expect(holder.shop.echo.requests).toHaveLength(0);
  });

  it.each([
    ['others', () => `a=b; ${cookie()}; c=d`],
    ['spaces', () => `a=b ;  ${COOKIE} = ${token} `],
    ['two fields', () => ['a=b', cookie()]],
  ])('is one among %s', async (_what, value) => {
    expect((await send('GET', { cookie: value() })).status).toBe(200);
  });
});

describe('a socket that a strange page opens with a cookie', () => {
  const opening = (headers: Record<string, string>, protocols: string[] = []) => ({
    url: holder.shop.gateway.url,
    headers: { cookie: cookie(), ...headers },
    protocols,
  });

  // The route lets these pages open sockets with a token of their own; with a cookie it is not for the route to say.
  it.each([
    ['of a strange page', { origin: 'https://evil.example' }, [], 403],
    ['of nobody', {}, [], 403],
    ['with a made-up token among its protocols', { origin: 'https://evil.example' }, ['bearer.x.y.z'], 401],
  ])('is refused: %s', async (_what, headers, protocols, status) => {
    expect((await refused('/socket', opening(headers, protocols))).status).toBe(status);
    expect(sockets.handshakes).toHaveLength(0);
  });

  it('is refused at a public route where a made-up token would lean on the cookie of a service', async () => {
    const answer = await refused('/open', opening({ origin: 'https://evil.example' }, ['bearer.x']));
    expect(answer).toMatchObject({ status: 403, code: 'permission-denied' });
  });

  it('opens for a page that is allowed', async () => {
    const { socket } = await open('/socket', opening({ origin: PAGE }));
    socket.terminate();
  });

  it('is closed at the GraphQL door, whose token comes later, but for a page that is allowed', async () => {
    for (const [origin, code] of [
      ['https://evil.example', 4403],
      [PAGE, undefined],
    ] as const) {
      const client = await open('/graphql', opening({ origin }, ['graphql-transport-ws']));
      client.socket.send('{"type":"connection_init"}');
      if (code === undefined) await once(client.socket, 'message');
      else expect((await client.closed).code).toBe(code);
      client.socket.terminate();
    }
  });
});

describe('a token that is too long', () => {
  const long = (bytes: number): Promise<string> => {
    const pad = (size: number) => holder.shop.services.identity.token('user', { pad: 'x'.repeat(size) });
    return pad(20 * KIB).then(async (first) => {
      let size = 20 * KIB + Math.floor(((bytes - first.length) * 3) / 4);
      while ((await pad(size)).length > bytes) size -= 1;
      while ((await pad(size + 1)).length <= bytes) size += 1;
      return pad(size);
    });
  };

  it('is refused from the first byte on that is too many, and not before, as a field, a cookie and over HTTP/2', async () => {
    const [most, more] = [await long(32 * KIB), await long(32 * KIB + 4)];
    expect([most.length > 32 * KIB - 4, more.length > 32 * KIB]).toEqual([true, true]);
    for (const [text, status] of [
      [most, 200],
      [more, 401],
    ] as const) {
      for (const headers of [{ authorization: `Bearer ${text}` }, { cookie: cookie(text) }])
        expect((await holder.shop.call('/fixed', { headers })).status).toBe(status);
      expect(await overHttp2(text)).toBe(status);
    }
  });

  it('leaves heads bounded', async () => {
    const answer = await holder.shop.call('/fixed', {
      headers: { authorization: `Bearer ${'x'.repeat(41 * KIB)}` },
    });
    expect(answer.status).toBe(431);
  });
});

async function overHttp2(text: string): Promise<number> {
  const session = connectHttp2(holder.shop.gateway.url);
  const stream = session.request({ ':path': '/fixed', authorization: `Bearer ${text}` });
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }];
  session.destroy();
  return head[':status'];
}

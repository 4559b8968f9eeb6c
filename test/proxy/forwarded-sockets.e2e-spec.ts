import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { call } from '../support/client.ts';
import { until } from '../support/reload.ts';
import { API_KEY, shopConfig } from '../support/shop.ts';
import { clientFrame, useSocketWorld } from '../support/socket-routes.ts';
import { checkGateway } from '../support/gateway.ts';

const open = { authentication: 'public' };
const route = (id: string, webSocket: unknown, more: object = {}): object => ({
  id,
  match: { path: `/${id}/*` },
  upstream: 'echo',
  webSocket,
  policies: open,
  ...more,
});
const key = { 'x-api-key': API_KEY };

const world = useSocketWorld({
  upstreams: () => ({
    gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off', retry: { attempts: 1 } },
  }),
  routes: [
    route('ws', 'on', { policies: {} }),
    route('open', { origins: ['https://app.example'] }),
    route('plain', 'off'),
    route('small', { maxMessage: '100B', maxFrame: '60B' }),
    route('idle', { idle: '150ms', ping: '20ms' }),
    route('old', { maxAge: '100ms' }),
    route('dead', { ping: '40ms' }),
    route(
      'few',
      { perPrincipal: 2, sockets: 3 },
      { policies: { authentication: { schemes: ['apiKey', 'jwt'] } } },
    ),
    route('paid', 'on', {
      policies: { ...open, rateLimit: { key: 'global', rate: 5, per: '1d', perMessage: 2 } },
    }),
    route(
      'slow',
      { onLimit: 'wait' },
      { policies: { ...open, rateLimit: { key: 'global', rate: 20, per: '1s', burst: 2, perMessage: 1 } } },
    ),
    route('hosted', 'on', { match: { path: '/hosted', hosts: ['ws.example'] } }),
    route('edited', 'on', {
      policies: {
        ...open,
        transform: {
          request: { setHeaders: { 'x-team': 'blue' } },
          response: { removeHeaders: ['x-inside'], setHeaders: { 'x-edge': 'yes' } },
        },
      },
      rewrite: { path: '/inner/{*}?asked=1' },
    }),
    route('packed', 'on', { paths: { encodedSlashes: 'pass' } }),
    route('gone', 'on', { upstream: 'gone' }),
    route('late', 'on', { policies: { ...open, deadline: '80ms' } }),
  ] as never,
});

afterEach(async () => {
  world.service.refuse = () => false;
  world.service.protocols = [];
  world.service.stop();
  await until(() => world.service.open.length === 0);
});

describe('a WebSocket that is forwarded', () => {
  it('carries messages of both kinds in order, pings and pongs among them, and the goodbye with its code', async () => {
    const { client, behind } = await world.open('/ws/a?b=c', { headers: key });
    const service: string[] = [];
    behind.on('ping', (data) => void service.push(`ping:${String(data)}`));
    behind.on('message', (data) => void service.push(String(data)));
    const { socket } = client;
    socket.send('one');
    (socket as unknown as { ping(data: string): void }).ping('p');
    socket.send(Buffer.from('two'));
    await until(() => client.heard.length === 3);
    expect(service).toEqual(['one', 'ping:p', 'two']);
    expect([...client.heard].sort()).toEqual(['one', 'pong:p', 'two']);
    const ended = once(behind, 'close');
    socket.close(4321, 'enough');
    expect(await ended).toEqual([4321, Buffer.from('enough')]);
    expect(await client.closed).toEqual({ code: 4321, reason: 'enough' });
    const line = await world.lineOf('ws', 4321);
    expect(line).toMatchObject({
      status: 101,
      upstream: 'echo',
      principal: 'mobile-app',
      socket: { by: 'client', code: 4321, in: { messages: 2 }, out: { messages: 2 } },
      attempts: [{ outcome: '101' }],
    });
    expect(line).not.toHaveProperty('cut');
    const { headers, url } = world.service.handshakes.at(-1) ?? {};
    expect(url).toBe('/ws/a?b=c');
    expect(headers).toMatchObject({ 'x-client-id': 'mobile-app', upgrade: 'websocket' });
    expect(headers).not.toHaveProperty('x-api-key');
    const metrics = await world.shop.metrics();
    expect(metrics).toContain('gatehouse_open_sockets{route="ws"} 0');
    expect(metrics).toContain('gatehouse_socket_messages_total{route="ws",from="client"} 2');
    expect(metrics).toContain('gatehouse_socket_closes_total{route="ws",code="application"} 1');
  });

  it.each([
    ['with a code', 4000, 'bye', { code: 4000, reason: 'bye' }],
    ['without a code', undefined, undefined, { code: 1005, reason: '' }],
  ])('hears the goodbye of the service %s', async (_, code, reason, told) => {
    const { client, behind } = await world.open('/open/x');
    behind.close(code, reason);
    expect(await client.closed).toEqual(told);
    expect(await world.lineOf('open', told.code)).toMatchObject({ socket: { by: 'upstream' } });
  });

  it('tells each end why the other one has left without a word', async () => {
    const one = await world.open('/open/x');
    one.behind.terminate();
    expect(await one.client.closed).toEqual({ code: 1011, reason: 'The service has left' });
    const other = await world.open('/open/x');
    const ended = once(other.behind, 'close');
    other.client.socket.terminate();
    expect(await ended).toEqual([1001, Buffer.from('The client has left')]);
    await until(() =>
      world.shop.gateway.lines.some((line) => JSON.stringify(line).includes('"by":"client","code":1006')),
    );
  });

  it('passes on the subprotocol that the service has chosen, and no token among those that are offered', async () => {
    world.service.protocols = ['v2'];
    const token = await world.shop.services.identity.token('user');
    const { client } = await world.open('/ws/x', { protocols: ['v1', 'v2', `bearer.${token}`] });
    expect(client.socket.protocol).toBe('v2');
    const { headers } = world.service.handshakes.at(-1) ?? {};
    expect(headers).toMatchObject({ 'sec-websocket-protocol': 'v1, v2', 'x-user-id': expect.any(String) });
  });

  it('carries large messages, and more of them than anybody holds', async () => {
    const { client } = await world.open('/open/x');
    const large = 'x'.repeat(2 ** 20);
    for (let i = 0; i < 8; i += 1) client.socket.send(large);
    await until(() => client.heard.length === 8);
    expect(client.heard.every((one) => one === large)).toBe(true);
  });

  it('is edited like any request of its route, and its handshake like any answer', async () => {
    world.service.refuse = (request, socket) => {
      const accept = acceptFor(request.headers['sec-websocket-key']);
      socket.write(
        `HTTP/1.1 101 X\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nX-Inside: 1\r\nSet-Cookie: a=b\r\n\r\n`,
      );
      return true;
    };
    const client = world.connect('/edited/p/q');
    const head = await client.head;
    expect(head).toMatchObject({
      'x-edge': 'yes',
      'set-cookie': ['a=b'],
      'x-request-id': expect.any(String),
    });
    expect(head).not.toHaveProperty('x-inside');
    const { headers, url } = world.service.handshakes.at(-1) ?? {};
    expect(url).toBe('/inner/p/q?asked=1');
    expect(headers).toMatchObject({ 'x-team': 'blue' });
    client.socket.terminate();
  });

  it('hears what comes in one piece with a handshake, from either side', async () => {
    const raw = world.raw('/open/x');
    raw.socket.write(clientFrame(0x81, 'early'));
    await until(() => raw.heard.includes('\x81\x05early'));
    raw.socket.destroy();
    world.service.refuse = (request, socket) => {
      const accept = acceptFor(request.headers['sec-websocket-key']);
      socket.write(
        `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n\x81\x02hi`,
        'latin1',
      );
      return true;
    };
    const client = world.connect('/open/x');
    await until(() => client.heard.length === 1);
    expect(client.heard).toEqual(['hi']);
    client.socket.terminate();
  });

  it('takes the route of its host', async () => {
    const raw = world.raw('/hosted', { Host: 'WS.example:80' });
    await until(() => raw.heard.includes('HTTP/1.1 101'));
    expect((await world.refused('/hosted')).status).toBe(404);
  });

  it('reads encoded slashes as its route does', async () => {
    const { client } = await world.open('/packed/@scope%2Fpkg');
    client.socket.close();
    await client.closed;
    const refused = await world.refused('/open/a%2Fb', { headers: key });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('request-malformed')]);
  });
});

describe('the handshake', () => {
  it.each([
    ['no credential', '/ws/x', {}, 401, 'credentials-missing'],
    ['a page of another origin', '/open/x', { origin: 'https://evil.example' }, 403, 'permission-denied'],
    ['a service that is gone', '/gone/x', {}, 502, 'upstream-unreachable'],
  ])('is refused in HTTP for %s, before the service hears of it', async (_, path, headers, status, code) => {
    const before = world.service.handshakes.length;
    const refusal = await world.refused(path, { headers });
    expect([refusal.status, (JSON.parse(refusal.text) as { code: string }).code]).toEqual([status, code]);
    expect(world.service.handshakes.length).toBe(before);
  });

  it('of a listed page is forwarded, with its origin', async () => {
    await world.open('/open/x', { headers: { origin: 'https://app.example' } });
    expect(world.service.handshakes.at(-1)?.headers.origin).toBe('https://app.example');
  });

  it('that the service refuses is answered as the service says', async () => {
    world.service.refuse = (_, socket) => {
      socket.end(
        'HTTP/1.1 403 Nope\r\nContent-Type: text/plain\r\nX-Why: because\r\nContent-Length: 6\r\n\r\nnot me',
      );
      return true;
    };
    const { status, head, text } = await world.refused('/open/x');
    expect([status, head['x-why'], text]).toEqual([403, 'because', 'not me']);
    expect(head.connection).toBe('close');
  });

  it.each([
    [
      'without the accept',
      (accept: string) =>
        `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Accept: ${accept}\r\n\r\n`,
    ],
    [
      'with a wrong accept',
      () =>
        'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    ],
    [
      'to another protocol',
      (accept: string) =>
        `HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    ],
    [
      'to two protocols',
      (accept: string) =>
        `HTTP/1.1 101 X\r\nUpgrade: websocket, h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    ],
    [
      'without Connection',
      (accept: string) => `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    ],
    [
      'with a length',
      (accept: string) =>
        `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    ],
    [
      'of HTTP/1.0',
      (accept: string) =>
        `HTTP/1.0 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    ],
    [
      'with a subprotocol that nobody offered',
      (accept: string) =>
        `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: x\r\n\r\n`,
    ],
    [
      'with an extension that nobody offered',
      (accept: string) =>
        `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
    ],
  ])('that the service answers %s is no socket', async (_, answer) => {
    world.service.refuse = (request, socket) => {
      socket.write(answer(acceptFor(request.headers['sec-websocket-key'])));
      return true;
    };
    const { status, text } = await world.refused('/open/x');
    expect([status, (JSON.parse(text) as { code: string }).code]).toEqual([502, 'upstream-response-invalid']);
  });

  it.each([
    ['another version', { 'Sec-WebSocket-Version': '8' }, 426],
    ['no version', { 'Sec-WebSocket-Version': undefined }, 426],
    ['no key', { 'Sec-WebSocket-Key': undefined }, 400],
    ['a short key', { 'Sec-WebSocket-Key': 'abc=' }, 400],
    ['a subprotocol that is none', { 'Sec-WebSocket-Protocol': 'a b' }, 400],
  ])('with %s is refused', async (_, fields, status) => {
    const raw = world.raw('/open/x', fields);
    await raw.closed;
    expect(raw.heard).toContain(`HTTP/1.1 ${status} `);
    if (status === 426) expect(raw.heard.toLowerCase()).toContain('sec-websocket-version: 13');
  });

  it('does not wait longer than the deadline, which ends with it', async () => {
    const { client } = await world.open('/late/x');
    await new Promise((resolve) => setTimeout(resolve, 150));
    client.socket.send('still here');
    await until(() => client.heard.length === 1);
    world.service.refuse = () => true;
    expect((await world.refused('/late/x')).status).toBe(504);
  });

  it('at a route that forwards none is a request like any other', async () => {
    const { status, text } = await world.refused('/plain/x');
    expect([status, (JSON.parse(text) as { url: string }).url]).toEqual([200, '/plain/x']);
    expect(text).not.toContain('"upgrade"');
  });

  it('is not needed: what asks for no socket is forwarded as ever', async () => {
    const { status, text } = await call(`${world.shop.gateway.url}/open/x`);
    expect([status, (JSON.parse(text) as { url: string }).url]).toEqual([200, '/open/x']);
  });
});

describe('the limits of a WebSocket', () => {
  it.each([
    ['of a frame, from the client', false, 61],
    ['of a message, from the client', true, 101],
  ])('%s close it with 1009', async (_, fragments, bytes) => {
    const { client, behind } = await world.open('/small/x');
    const heard: string[] = [];
    behind.on('message', (data) => void heard.push(String(data)));
    const ended = once(behind, 'close');
    const send = client.socket.send.bind(client.socket) as (data: string, options: object) => void;
    if (fragments) send('x'.repeat(60), { fin: false });
    send('x'.repeat(fragments ? bytes - 60 : bytes), { fin: true });
    expect(await client.closed).toMatchObject({ code: 1009 });
    expect((await ended)[0]).toBe(1001);
    expect(heard).toEqual([]);
    expect(await world.lineOf('small', 1009)).toMatchObject({ socket: { by: 'gateway' } });
  });

  it('hold for the service too, and let the largest pass', async () => {
    const { client, behind } = await world.open('/small/x');
    behind.send('y'.repeat(60));
    await until(() => client.heard.length === 1);
    const ended = once(behind, 'close');
    behind.send('y'.repeat(61));
    expect(await client.closed).toEqual({ code: 1009, reason: 'Frame too big' });
    expect((await ended)[0]).toBe(1009);
    expect(client.heard).toEqual(['y'.repeat(60)]);
  });

  it('end one that is idle with 1001, whatever is pinged', async () => {
    const { client } = await world.open('/idle/x');
    await new Promise((resolve) => setTimeout(resolve, 90));
    client.socket.send('one');
    await new Promise((resolve) => setTimeout(resolve, 90));
    expect(client.heard.filter((one) => !one.startsWith('ping:'))).toEqual(['one']);
    expect(await client.closed).toEqual({ code: 1001, reason: 'Idle' });
    expect(client.heard.some((one) => one.startsWith('ping:'))).toBe(true);
  });

  it('end one that is too old with 1012', async () => {
    const { client, behind } = await world.open('/old/x');
    const ended = once(behind, 'close');
    expect(await client.closed).toEqual({ code: 1012, reason: 'Too old' });
    expect((await ended)[0]).toBe(1001);
  });

  it('end one whose token has expired with 4401', async () => {
    const token = await world.shop.services.identity.token('user', {
      exp: Math.floor(Date.now() / 1000) + 1,
    });
    const { client } = await world.open('/ws/x', { headers: { authorization: `Bearer ${token}` } });
    expect(await client.closed).toEqual({ code: 4401, reason: 'The token has expired' });
  });

  it('give up a client that has vanished, and tell nobody about the pongs that were ours', async () => {
    const alive = await world.open('/dead/x');
    const pongs: unknown[] = [];
    alive.behind.on('pong', (data) => pongs.push(data));
    const raw = world.raw('/dead/x');
    await raw.closed;
    expect(raw.heard).toContain('\x89\x08');
    alive.client.socket.send('alive');
    await until(() => alive.client.heard.includes('alive'));
    expect(pongs).toEqual([]);
  });

  it('keep one caller from taking all places, and all callers from taking more than there are', async () => {
    const token = await world.shop.services.identity.token('user');
    const user = { authorization: `Bearer ${token}` };
    const [first] = [
      await world.open('/few/x', { headers: key }),
      await world.open('/few/x', { headers: key }),
    ];
    const mine = await world.refused('/few/x', { headers: key });
    expect([mine.status, mine.head['retry-after']]).toEqual([429, '5']);
    await world.open('/few/x', { headers: user });
    expect((await world.refused('/few/x', { headers: user })).status).toBe(429);
    first.client.socket.close();
    await first.client.closed;
    await world.lineOf('few', 1005);
    await world.open('/few/x', { headers: user });
  });

  it('charge messages to the bucket of the route, and close with 1008', async () => {
    const { client, behind } = await world.open('/paid/x');
    const heard: string[] = [];
    behind.on('message', (data) => void heard.push(String(data)));
    for (const message of ['one', 'two', 'three']) client.socket.send(message);
    expect(await client.closed).toEqual({ code: 1008, reason: 'rate-limited' });
    expect(heard).toEqual(['one', 'two']);
    expect(await world.lineOf('paid', 1008)).toMatchObject({ refused: { code: 'rate-limited' } });
  });

  it('or have the client wait, and lose nothing', async () => {
    const { client } = await world.open('/slow/x');
    const messages = Array.from({ length: 6 }, (_, i) => `message ${i}`);
    for (const message of messages) client.socket.send(message);
    await until(() => client.heard.length === 6);
    expect(client.heard).toEqual(messages);
    client.socket.send('last');
    client.socket.close(1000, 'done');
    expect(await client.closed).toEqual({ code: 1000, reason: 'done' });
    expect(client.heard.at(-1)).toBe('last');
  });
});

describe('frames that are none', () => {
  it.each([
    ['not masked', Buffer.from([0x81, 1, 0x61]), 1002],
    ['of a reserved opcode', clientFrame(0x83, 'a'), 1002],
    ['with a reserved bit', clientFrame(0xc1, 'a'), 1002],
    ['of a goodbye that nobody may say', clientFrame(0x88, Buffer.from([0x03, 0xee])), 1002],
    ['of a continuation of nothing', clientFrame(0x80, 'a'), 1002],
  ])('%s end the socket of their client, and the service hears nothing of them', async (_, frame, code) => {
    const behind = once(world.service, 'socket');
    const raw = world.raw('/open/x');
    const [one] = (await behind) as [NodeJS.EventEmitter];
    const ended = once(one, 'close');
    raw.socket.write(frame);
    await raw.closed;
    expect(raw.heard).toContain(String.fromCharCode(0x03, code & 0xff));
    expect((await ended)[0]).toBe(1001);
  });

  it('of a service are told to nobody', async () => {
    world.service.refuse = (request, socket) => {
      const accept = acceptFor(request.headers['sec-websocket-key']);
      socket.write(
        `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]));
      return true;
    };
    const client = world.connect('/open/x');
    expect(await client.closed).toEqual({ code: 1011, reason: 'Invalid frame' });
    expect(client.heard).toEqual([]);
  });
});

it('a route whose answers are edited as JSON forwards no WebSockets, which would pass unedited', async () => {
  const { services, echo } = world.shop;
  const masked = route('masked', 'on', {
    policies: { ...open, transform: { response: { maskFields: ['secret'] } } },
  });
  const config = JSON.stringify(
    shopConfig(services, echo, { routes: [masked] as never, more: { modules: [] } }),
  );
  await expect(checkGateway({ config, modules: [] })).rejects.toThrow(
    /webSocket.*messages would pass unedited/s,
  );
});

/** What a server answers a key with. */
function acceptFor(sent: string | undefined): string {
  return createHash('sha1')
    .update(`${sent ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
}

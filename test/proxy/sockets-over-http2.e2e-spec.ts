import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { WebSocket } from 'ws';
import {
  allowsTunnels,
  askForTunnel,
  openTunnel,
  refusalOf,
  type TunnelClient,
  type TunnelOpening,
} from '../support/http2-socket.ts';
import { KindsServer } from '../support/kinds-server.ts';
import type { LogLine } from '../support/gateway.ts';
import { reload, until } from '../support/reload.ts';
import { API_KEY, shopConfig, useShop } from '../support/shop.ts';
import { clientFrame } from '../support/socket-routes.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';
import { echo } from '../support/upstream.ts';

const kinds = new KindsServer();
beforeAll(async () => void (await kinds.start()));

const open = { authentication: 'public' };
const route = (id: string, webSocket: unknown, more: object = {}): object => ({
  id,
  match: { path: `/${id}/*` },
  upstream: 'echo',
  webSocket,
  policies: open,
  ...more,
});
const options = {
  more: { listeners: [{ port: 0, http2: true, limits: { concurrentStreams: 50 } }] },
  upstreams: () => ({
    kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
  }),
  routes: [
    route('ws', 'on', { policies: {} }),
    route('open', { origins: ['https://app.example'] }),
    route('plain', 'off'),
    route('small', { maxMessage: '100B' }),
    route('idle', { idle: '100ms' }),
    route('old', { maxAge: '100ms' }),
    route('dead', { ping: '40ms' }),
    route('few', { perPrincipal: 2 }),
    route('paid', 'on', {
      policies: { ...open, rateLimit: { key: 'global', rate: 5, per: '1d', perMessage: 2 } },
    }),
    route('edited', 'on', {
      policies: { ...open, transform: { response: { setHeaders: { 'x-edge': 'yes' } } } },
    }),
    { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' }, policies: open },
  ] as never,
};
const holder = useShop(options);

let service: SocketService;
const sessions: ClientHttp2Session[] = [];
beforeAll(() => void (service = echoSockets(holder.shop.echo.server)));
afterEach(async () => {
  service.refuse = () => false;
  service.protocols = [];
  service.stop();
  for (const session of sessions.splice(0)) session.destroy();
  await until(() => service.open.length === 0);
});
afterAll(() => kinds.stop());

function session(): ClientHttp2Session {
  const one = connectHttp2(holder.shop.gateway.gateway.urls[0] as string);
  one.on('error', () => {});
  sessions.push(one);
  return one;
}

async function opened(
  path: string,
  opening?: TunnelOpening,
  over = session(),
): Promise<{ client: TunnelClient; behind: WebSocket }> {
  const behind = once(service, 'socket') as Promise<[WebSocket]>;
  const client = await openTunnel(over, path, opening);
  return { client, behind: (await behind)[0] };
}

async function lineOf({ head }: Pick<TunnelClient, 'head'>): Promise<LogLine> {
  return holder.shop.lineOfId(String(head['x-request-id']));
}

const key = { 'x-api-key': API_KEY };

describe('a WebSocket over HTTP/2', () => {
  it('is offered, carries messages, pings and the goodbye, and leaves a line', async () => {
    const over = session();
    expect(await allowsTunnels(over)).toBe(true);
    const { client, behind } = await opened('/ws/a?b=c', { headers: key }, over);
    const { socket, heard, head } = client;
    expect(Object.keys(head).filter((name) => /^(sec-websocket-|connection|upgrade)/.test(name))).toEqual([]);
    socket.send('one');
    (socket as unknown as { ping(data: string): void }).ping('p');
    socket.send(Buffer.from('two'));
    await until(() => heard.length === 3);
    expect([...heard].sort()).toEqual(['one', 'pong:p', 'two']);
    const ended = once(behind, 'close');
    socket.close(4321, 'enough');
    expect(await ended).toEqual([4321, Buffer.from('enough')]);
    expect(await client.closed).toEqual({ code: 4321, reason: 'enough' });
    const line = await lineOf(client);
    expect(line).toMatchObject({
      method: 'GET',
      status: 200,
      principal: 'mobile-app',
      socket: { by: 'client', code: 4321, in: { messages: 2 }, out: { messages: 2 } },
      attempts: [{ outcome: '101' }],
    });
    expect(line).not.toHaveProperty('cut');
    const { headers, url, method } = service.handshakes.at(-1) ?? {};
    expect([method, url, headers?.upgrade]).toEqual(['GET', '/ws/a?b=c', 'websocket']);
    expect(headers).toMatchObject({ 'x-client-id': 'mobile-app', 'sec-websocket-version': '13' });
    expect(await holder.shop.metrics()).toContain('gatehouse_open_sockets{route="ws"} 0');
  });

  it('shares its connection with others, and with requests', async () => {
    const over = session();
    const all = await Promise.all([1, 2, 3].map(() => openTunnel(over, '/open/x')));
    all.forEach(({ socket }, i) => socket.send(`${i}`));
    const stream = over.request({ ':path': '/plain/x' });
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.resume();
    expect(head[':status']).toBe(200);
    await until(() => all.every(({ heard }) => heard.length === 1));
    expect(all.map(({ heard }) => heard[0])).toEqual(['0', '1', '2']);
  });

  it('passes on the subprotocol that was chosen, fields of the service and edits of the route', async () => {
    service.protocols = ['v2'];
    const token = await holder.shop.services.identity.token('user');
    const protocols = ['v1', 'v2', `bearer.${token}`];
    const { client } = await opened('/ws/x', { protocols });
    expect(client.head['sec-websocket-protocol']).toBe('v2');
    expect(service.handshakes.at(-1)?.headers['sec-websocket-protocol']).toBe('v1, v2');
    const edited = await opened('/edited/x');
    expect(edited.client.head['x-edge']).toBe('yes');
  });

  it('carries megabytes each way at the pace of who is slower, more than a window of HTTP/2', async () => {
    const { client } = await opened('/open/x');
    const large = 'x'.repeat(2 ** 20);
    for (let i = 0; i < 6; i += 1) client.socket.send(large);
    await until(() => client.heard.length === 6);
    expect(client.heard.every((one) => one === large)).toBe(true);
  });

  it('counts tiny frames as what they are, and keeps its connection', async () => {
    const { client } = await opened('/open/x');
    const frames = Array.from({ length: 20_000 }, () => clientFrame(0x81, 'x'));
    let echoed = 0;
    client.socket.on('message', () => void (echoed += 1));
    for (let i = 0; i < frames.length; i += 1000)
      client.stream.write(Buffer.concat(frames.slice(i, i + 1000)));
    await until(() => echoed === frames.length);
    expect(client.stream.destroyed).toBe(false);
  });

  it('hears what came with the handshake, before it was accepted', async () => {
    const over = session();
    await allowsTunnels(over);
    const stream = over.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':scheme': 'http',
        ':path': '/open/x',
        'sec-websocket-version': '13',
      },
      { endStream: false },
    );
    stream.write(clientFrame(0x81, 'early'));
    let text = '';
    stream.on('data', (bytes: Buffer) => (text += String(bytes)));
    await until(() => text.includes('\x05early'));
  });
});

describe('the end of a WebSocket over HTTP/2', () => {
  it.each<[string, string, { code: number; reason: string }]>([
    ['idleness', '/idle/x', { code: 1001, reason: 'Idle' }],
    ['age', '/old/x', { code: 1012, reason: 'Too old' }],
  ])('comes by %s', async (_, path, told) => {
    const { client } = await opened(path);
    expect(await client.closed).toEqual(told);
    expect(await lineOf(client)).toMatchObject({ status: 200, socket: { by: 'gateway', code: told.code } });
    if (!client.stream.closed) await once(client.stream, 'close');
    expect(client.stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it('comes by the expiry of its token, whoever answers it', async () => {
    const exp = Math.floor(Date.now() / 1000) + 1;
    const token = await holder.shop.services.identity.token('user', { exp });
    const headers = { authorization: `Bearer ${token}` };
    const over = session();
    const both = await Promise.all([
      openTunnel(over, '/ws/x', { headers }),
      openTunnel(over, '/graphql', { headers, protocols: ['graphql-transport-ws'] }),
    ]);
    for (const { closed } of both)
      expect(await closed).toEqual({ code: 4401, reason: 'The token has expired' });
    expect(over.destroyed).toBe(false);
  });

  it('does not come by another configuration, though its route is gone', async () => {
    const { gateway, services, echo: behindIt } = holder.shop;
    const over = session();
    const { client } = await opened('/open/x', {}, over);
    const without = { ...options, routes: [] as never };
    expect((await reload(gateway, shopConfig(services, behindIt, without))).outcome).toBe('reloaded');
    client.socket.send('still here');
    await until(() => client.heard.includes('still here'));
    expect((await refusalOf(await askForTunnel(over, '/open/x'))).status).toBe(501);
    expect((await reload(gateway, shopConfig(services, behindIt, options))).outcome).toBe('reloaded');
    const other = await opened('/open/x', {}, over);
    for (const { socket } of [client, other.client]) socket.close(1000);
    expect((await Promise.all([client.closed, other.client.closed])).map(({ code }) => code)).toEqual([
      1000, 1000,
    ]);
  });

  it('comes by a message of the service that is too large', async () => {
    const { client, behind } = await opened('/small/x');
    behind.send('y'.repeat(100));
    await until(() => client.heard.length === 1);
    behind.send('y'.repeat(101));
    expect((await client.closed).code).toBe(1009);
  });

  it('comes by a message that is too large, a frame that is none, and one that is too many', async () => {
    const large = await opened('/small/x');
    large.client.socket.send('x'.repeat(101));
    expect((await large.client.closed).code).toBe(1009);
    const broken = await opened('/open/x');
    broken.client.stream.write(Buffer.of(0x83, 0x80, 0, 0, 0, 0));
    expect((await broken.client.closed).code).toBe(1002);
    const paid = await opened('/paid/x');
    for (const text of ['1', '2']) paid.client.socket.send(text);
    await until(() => paid.client.heard.length === 2);
    paid.client.socket.send('3');
    expect(await paid.client.closed).toEqual({ code: 1008, reason: 'rate-limited' });
  });

  it('is answered though the client has ended its side with its goodbye, as browsers do', async () => {
    const { client, behind } = await opened('/open/x');
    const goodbye = once(behind, 'close');
    client.stream.end(clientFrame(0x88, Buffer.of(0x0f, 0xa0)));
    expect(await goodbye).toEqual([4000, Buffer.alloc(0)]);
    expect((await client.closed).code).toBe(4000);
    expect(await lineOf(client)).toMatchObject({ socket: { by: 'client', code: 4000 } });
  });

  it.each<[string, (client: TunnelClient, over: ClientHttp2Session) => void]>([
    ['resets its stream', ({ stream }) => stream.close(constants.NGHTTP2_CANCEL)],
    ['ends its side', ({ stream }) => void stream.end()],
    ['drops the connection', (_, over) => over.destroy()],
  ])('is told to the service when the client %s without a goodbye', async (_, leave) => {
    const over = session();
    const { client, behind } = await opened('/open/x', {}, over);
    const ended = once(behind, 'close');
    leave(client, over);
    expect(await ended).toEqual([1001, Buffer.from('The client has left')]);
    expect(await lineOf(client)).toMatchObject({ socket: { by: 'client', code: 1006 } });
  });

  it('is told to the client when the service leaves without a goodbye', async () => {
    const { client, behind } = await opened('/open/x');
    behind.terminate();
    expect(await client.closed).toEqual({ code: 1011, reason: 'The service has left' });
  });

  it('is CANCEL for a client that answers no ping (RFC 8441 section 5)', async () => {
    const { stream } = await askForTunnel(session(), '/dead/x');
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });
});

describe('a handshake over HTTP/2', () => {
  it.each<[string, string, TunnelOpening, number, string]>([
    ['no credential', '/ws/x', {}, 401, 'credentials-missing'],
    [
      'a page of elsewhere',
      '/open/x',
      { headers: { origin: 'https://evil.example' } },
      403,
      'permission-denied',
    ],
    ['another version', '/open/x', { headers: { 'sec-websocket-version': '8' } }, 426, 'upgrade-required'],
    ['a route without sockets', '/plain/x', {}, 501, 'method-not-implemented'],
    ['no route', '/nowhere', {}, 501, 'method-not-implemented'],
    [
      'another protocol',
      '/open/x',
      { headers: { ':protocol': 'connect-udp' } },
      501,
      'method-not-implemented',
    ],
    ['a path in another spelling', '/open/%2e%2e/x', {}, 501, 'method-not-implemented'],
  ])('is refused for %s, before the service hears of it', async (_, path, opening, status, code) => {
    const before = service.handshakes.length;
    const asked = holder.shop.echo.requests.length;
    const handshake = await askForTunnel(session(), path, opening);
    expect(await refusalOf(handshake)).toEqual({ status, code });
    expect([service.handshakes.length, holder.shop.echo.requests.length]).toEqual([before, asked]);
    expect(await lineOf(handshake)).toMatchObject({ status, refused: { code } });
  });

  it('is refused beyond the places of a caller, which come back', async () => {
    const over = session();
    const two = [await opened('/few/x', {}, over), await opened('/few/x', {}, over)];
    expect((await refusalOf(await askForTunnel(over, '/few/x'))).status).toBe(429);
    two[0]?.client.stream.close(constants.NGHTTP2_CANCEL);
    await until(() => service.open.length === 1);
    await lineOf(two[0]?.client as TunnelClient);
    await opened('/few/x', {}, over);
  });

  it.each<[string, string, number, string]>([
    [
      '403 as it is',
      'HTTP/1.1 403 No\r\ncontent-length: 14\r\n\r\n{"code":"mine"}'.replace('14', '15'),
      403,
      'mine',
    ],
    [
      '200, which would be taken for yes',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}',
      502,
      'upstream-response-invalid',
    ],
    ['204', 'HTTP/1.1 204 OK\r\n\r\n', 502, 'upstream-response-invalid'],
    [
      'a wrong key',
      'HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n',
      502,
      'upstream-response-invalid',
    ],
  ])('passes on from the service %s', async (_, answer, status, code) => {
    service.refuse = (_request, socket) => {
      socket.end(answer);
      return true;
    };
    expect(await refusalOf(await askForTunnel(session(), '/open/x'))).toEqual({ status, code });
  });

  it.each(['/open/x', '/plain/x'])(
    'at %s is given up at the service when its client has left',
    async (path) => {
      let gone: Promise<unknown> | undefined;
      service.refuse = (_request, socket) => {
        gone = once(socket.resume(), 'end');
        return true;
      };
      holder.shop.echo.listener = ({ socket }) => void (gone = once(socket, 'close'));
      const over = session();
      const asked =
        path === '/open/x'
          ? askForTunnel(over, path).catch(() => undefined)
          : once(
              over.request({ ':path': path }).on('error', () => {}),
              'close',
            );
      await until(() => gone !== undefined);
      holder.shop.echo.listener = echo;
      over.destroy();
      await asked;
      await gone;
    },
  );
});

describe('other sockets over HTTP/2', () => {
  it('are those of GraphQL', async () => {
    const { socket, heard, head, closed } = await openTunnel(session(), '/graphql', {
      headers: key,
      protocols: ['graphql-transport-ws'],
    });
    expect(head['sec-websocket-protocol']).toBe('graphql-transport-ws');
    socket.send('{"type":"connection_init"}');
    await until(() => heard.length === 1);
    socket.send('{"id":"1","type":"subscribe","payload":{"query":"{ __typename }"}}');
    await until(() => heard.length === 3);
    expect(heard.map((text) => (JSON.parse(text) as { type: string }).type)).toEqual([
      'connection_ack',
      'next',
      'complete',
    ]);
    socket.close(1000);
    expect((await closed).code).toBe(1000);
    expect(await lineOf({ head })).toMatchObject({ status: 200, route: 'graphql' });
  });

  it('are those of streams of gRPC', async () => {
    const { socket, heard, head, closed } = await openTunnel(session(), '/test/chat/hi');
    socket.send('{"number":2}');
    await until(() => heard.length === 1);
    socket.send('');
    expect(await closed).toEqual({ code: 1000, reason: '' });
    expect(heard).toEqual(['{"number":"4","note":"hi"}']);
    const line = await lineOf({ head });
    expect(line).toMatchObject({ status: 200, route: 'kinds.Chat' });
    expect(line).not.toHaveProperty('cut');
  });

  it.each<[string, TunnelOpening, number]>([
    ['/graphql', { headers: { ...key, origin: 'https://evil.example', 'x-api-key': '' } }, 401],
    ['/test/chat/hi', { headers: { origin: 'https://evil.example' } }, 403],
    ['/test/chat/hi', { headers: { 'sec-websocket-version': '7' } }, 400],
  ])('are refused by the rules of HTTP/1.1 at %s', async (path, opening, status) => {
    expect((await refusalOf(await askForTunnel(session(), path, opening))).status).toBe(status);
  });
});

it('goes with the gateway, with 1012 over HTTP/2 too', async () => {
  const { client } = await opened('/open/x');
  const told = client.closed;
  await holder.shop.gateway.stop();
  expect(await told).toEqual({ code: 1012, reason: 'Service restart' });
}, 10_000);

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KindsServer } from '../support/kinds-server.ts';
import { ServerSide } from '../support/server-side.ts';
import { API_KEY, useShop } from '../support/shop.ts';
import { open } from '../support/socket-client.ts';

const TIMES = 2000;
const AT_ONCE = 200;
/** What a test process opens and closes besides, such as files and connections to services. */
const NOISE = 100;

const kinds = new KindsServer();
beforeAll(() => kinds.start());
afterAll(() => kinds.stop());
const holder = useShop({
  upstreams: () => ({
    kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
  }),
  routes: [{ id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds', webSocket: { sockets: 1 } } }],
  more: {
    graphql: { subscriptions: { sockets: 1, unidentified: { sockets: 1_000_000, perAddress: 1_000_000 } } },
  },
});
let side: ServerSide;
beforeEach(() => void (side = new ServerSide(holder.shop.gateway)));
afterEach(() => side.close());

type Fields = Readonly<Record<string, string | undefined>>;
const GOOD: Fields = {
  Host: 'localhost',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Protocol': 'graphql-transport-ws',
};
const KEY = { 'X-API-Key': API_KEY };
const TRANSLATED = '/test/chat/x';

/** A handshake that is refused. */
interface Refusal {
  readonly path: string;
  readonly status: number;
  readonly fields?: Fields;
}

const REFUSALS: readonly [kind: string, refusal: Refusal][] = [
  [
    'for GraphQL, without a key',
    { path: '/graphql', status: 400, fields: { 'Sec-WebSocket-Key': undefined } },
  ],
  ['for GraphQL, with a bad key', { path: '/graphql', status: 400, fields: { 'Sec-WebSocket-Key': 'x' } }],
  [
    'for GraphQL, with a bad version',
    { path: '/graphql', status: 400, fields: { 'Sec-WebSocket-Version': '7' } },
  ],
  [
    'for GraphQL, with a bad credential',
    { path: '/graphql', status: 401, fields: { Authorization: 'Bearer x' } },
  ],
  [
    'for GraphQL, of a foreign page',
    { path: '/graphql', status: 403, fields: { Origin: 'https://evil.example' } },
  ],
  [
    'for GraphQL, for another subprotocol',
    { path: '/graphql', status: 101, fields: { 'Sec-WebSocket-Protocol': 'mqtt' } },
  ],
  ['for a translated route, without a credential', { path: TRANSLATED, status: 401 }],
  [
    'for a translated route, with a bad credential',
    { path: TRANSLATED, status: 401, fields: { 'X-API-Key': 'x' } },
  ],
  [
    'for a translated route, with a bad key',
    { path: TRANSLATED, status: 400, fields: { ...KEY, 'Sec-WebSocket-Key': 'x' } },
  ],
  [
    'for a translated route, with a bad version',
    { path: TRANSLATED, status: 400, fields: { ...KEY, 'Sec-WebSocket-Version': '7' } },
  ],
  ['that is no request', { path: '/ nonsense', status: 400 }],
];

function handshake(path: string, fields: Fields): string {
  const lines = Object.entries({ ...GOOD, ...fields }).map(([name, value]) =>
    value === undefined ? '' : `${name}: ${value}\r\n`,
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** One client; resolves once it is answered, with the status. */
async function refuse(bytes: string, hangsUp: boolean): Promise<{ status: number; socket: Socket }> {
  const port = Number(new URL(holder.shop.gateway.url).port);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(bytes);
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.write('x');
  if (hangsUp) socket.destroy();
  return { status: Number(String(head).split(' ')[1]), socket };
}

/**
 * Nothing is left of handshakes: half of their clients hang up after one more byte, the others have not ended their
 * side yet, and never will.
 */
async function expectNothingLeft({ path, status, fields = {} }: Refusal, staying = 2): Promise<void> {
  const [before, descriptors] = [await side.connections(), openDescriptors()];
  const bytes = handshake(path, fields);
  const waiting: Socket[] = [];
  for (let done = 0; done < TIMES; done += AT_ONCE) {
    const clients = Array.from({ length: AT_ONCE }, (_, i) => refuse(bytes, i % staying === 0));
    const answered = await Promise.all(clients);
    expect(new Set(answered.map((client) => client.status))).toEqual(new Set([status]));
    waiting.push(...answered.map(({ socket }) => socket));
  }
  await side.untilAtMost(before);
  for (const socket of waiting) socket.destroy();
  while (openDescriptors() > descriptors + NOISE) await sleep(20);
}

/** Of this process, which is the gateway's and the clients': none where the system does not tell. */
function openDescriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

describe('a handshake that is refused leaves no descriptor behind', () => {
  it.each(REFUSALS)('%s', async (_, refusal) => {
    await expectNothingLeft(refusal);
  });

  it('beyond the limits', async () => {
    const { url } = holder.shop.gateway;
    const protocols = ['graphql-transport-ws'];
    const first = await open('/graphql', { url, headers: { ...KEY }, protocols });
    first.socket.send('{"type":"connection_init"}');
    await expectNothingLeft({ path: '/graphql', status: 429 });
    first.socket.terminate();
    const second = await open(TRANSLATED, { url, headers: { ...KEY } });
    await expectNothingLeft({ path: TRANSLATED, status: 429, fields: KEY });
    second.socket.terminate();
  });

  it('for a path that has no sockets, where it is a plain request', async () => {
    // Those who stay keep their connection, and may say more.
    await expectNothingLeft({ path: '/nowhere', status: 404 }, 1);
  });
});

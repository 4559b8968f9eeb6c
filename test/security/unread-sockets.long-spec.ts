import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadingPace } from '../../src/sockets/reading-pace.ts';
import { until } from '../support/kinds-gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { ServerSide } from '../support/server-side.ts';
import { API_KEY, useShop, type Shop } from '../support/shop.ts';
import { open, type SocketClient } from '../support/socket-client.ts';

const KIB = 1024;
/** What waits at most for a client: 256 KiB, and the answers to the one chunk that is being read by then. */
const BOUND = 512 * KIB;
const PAYLOAD = 'x'.repeat(60_000);
const headers = { 'x-api-key': API_KEY };
const protocols = ['graphql-transport-ws', 'grpc.json'];

const kinds = new KindsServer();
const { perSecond } = ReadingPace;
beforeAll(() => {
  // So that what comes is as much as it can be.
  ReadingPace.perSecond = 1e9;
  return kinds.start();
});
beforeEach(() => kinds.reset());
afterAll(() => {
  ReadingPace.perSecond = perSecond;
  kinds.stop();
});
const withKinds = (timeouts: object) => ({
  upstreams: () => ({
    kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url], timeouts },
  }),
  routes: [{ id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } }],
});
const holder = useShop(withKinds({}));
const hasty = useShop({
  ...withKinds({ idle: '300ms' }),
  more: { graphql: { subscriptions: { idle: '300ms' } } },
});

let side: ServerSide;
let client: SocketClient | undefined;
afterEach(() => {
  client?.socket.terminate();
  side.close();
});

/** A client that hears nothing from now on. */
async function deaf({ gateway }: Shop, path: string, isKnown = true): Promise<SocketClient> {
  side = new ServerSide(gateway);
  client = await open(path, { url: gateway.url, protocols, headers: isKnown ? headers : {} });
  if (path === '/graphql' && isKnown) {
    client.socket.send('{"type":"connection_init"}');
    await until(() => client?.messages.length === 1);
  }
  client.socket.pause();
  return client;
}

/** Sends until everything was taken, or nothing has been for a while; returns how many were. */
async function push(
  { socket }: SocketClient,
  count: number,
  send: (done: (error?: Error) => void, i: number) => void,
) {
  let taken = 0;
  for (let i = 0; i < count; i += 1) {
    send((error) => void (taken += error ? 0 : 1), i);
    if (i % 100 === 99) await sleep(0);
  }
  for (let before = -1; before !== taken && taken < count && socket.readyState === socket.OPEN;) {
    before = taken;
    await sleep(200);
  }
  return taken;
}

describe('what waits for a client that does not read is bounded', () => {
  it.each([
    [
      'large pings of somebody who is not known yet',
      300,
      false,
      JSON.stringify({ type: 'ping', payload: { PAYLOAD } }),
    ],
    ['large pings', 500, true, JSON.stringify({ type: 'ping', payload: { PAYLOAD } })],
    ['small pings', 100_000, true, '{"type":"ping"}'],
  ])('%s', async (_, count, isKnown, ping) => {
    const { socket, messages } = await deaf(holder.shop, '/graphql', isKnown);
    messages.length = 0;
    await push({ socket } as SocketClient, count, (done) => socket.send(ping, done));
    expect(side.mostUnsent).toBeLessThan(KIB);
    socket.resume();
    await until(() => messages.length > 0);
    // The payload is not sent back.
    expect(messages[0]).toEqual({ type: 'pong' });
  });

  it.each(['/graphql', '/test/chat/x'])('pings of the protocol below, at %s', async (path) => {
    const { socket } = await deaf(holder.shop, path);
    const heard: string[] = [];
    socket.on('pong', (payload) => heard.push(String(payload)));
    const ping = socket.ping.bind(socket) as unknown as (
      data: string,
      mask: boolean,
      done: () => void,
    ) => void;
    // More than the kernel takes off our hands.
    const last = 100_000;
    await push({ socket } as SocketClient, last, (done, i) =>
      ping(String(i + 1).padStart(125, '.'), true, done),
    );
    expect(side.mostUnsent).toBeLessThan(KIB);
    socket.resume();
    // Of those that were due at once the latest is answered, with its payload (RFC 6455 section 5.5.3).
    await until(() => heard.at(-1)?.endsWith(String(last)) === true);
  });

  it.each([
    ['refusals', '{ nope }'],
    ['answers', '{ __typename }'],
  ])('%s, and nothing of them is lost', async (_, query) => {
    const { socket, messages } = await deaf(holder.shop, '/graphql');
    messages.length = 0;
    const count = 600;
    const taken = await push({ socket } as SocketClient, count, (done, i) =>
      socket.send(JSON.stringify({ id: `${i}${PAYLOAD}`, type: 'subscribe', payload: { query } }), done),
    );
    expect(taken).toBeLessThan(count);
    // One message is one chunk here.
    expect(side.mostUnsent).toBeLessThan(BOUND);
    socket.resume();
    const ended = (): unknown[] =>
      messages.filter((one) => ['complete', 'error'].includes((one as { type: string }).type));
    await until(() => ended().length === count);
  });

  it('the stream of a service', async () => {
    await deaf(holder.shop, '/test/count/3000?padding=20000');
    await until(() => kinds.written > 0);
    for (let before = -1; before !== kinds.written;) {
      before = kinds.written;
      await sleep(200);
    }
    expect(side.mostUnsent).toBeLessThan(BOUND);
  });
});

describe('a socket that stands still is ended', () => {
  it('when its client reads no answers', async () => {
    const { socket } = await deaf(hasty.shop, '/graphql');
    const before = await side.connections();
    await push({ socket } as SocketClient, 600, (done, i) =>
      socket.send(
        JSON.stringify({ id: `${i}${PAYLOAD}`, type: 'subscribe', payload: { query: '{ nope }' } }),
        done,
      ),
    );
    await side.untilAtMost(before - 1);
  });

  it('when its client does not read what a service streams', async () => {
    await deaf(hasty.shop, '/test/count/3000?padding=20000');
    const before = await side.connections();
    await until(() => kinds.cancelled === 1);
    await side.untilAtMost(before - 1);
  });

  it.each(['stays', 'leaves without a goodbye', 'says goodbye'])(
    'when the service does not read, and its client %s',
    async (kind) => {
      kinds.hold = new Promise(() => {});
      side = new ServerSide(hasty.shop.gateway);
      client = await open('/test/sum', { url: hasty.shop.gateway.url, headers });
      const before = await side.connections();
      const { socket, closed, problems } = client;
      const frame = JSON.stringify({ number: 1, note: 'x'.repeat(200_000) });
      const pushed = push(client, 300, (done) => socket.send(frame, done));
      await sleep(200);
      if (kind === 'leaves without a goodbye') socket.terminate();
      if (kind === 'says goodbye') socket.close();
      await until(() => kinds.cancelled === 1);
      await side.untilAtMost(before - 1);
      expect(await pushed).toBeLessThan(300);
      if (kind !== 'stays') return;
      expect(await closed).toEqual({ code: 4504, reason: 'upstream-timeout' });
      expect(problems).toMatchObject([{ code: 'upstream-timeout' }]);
    },
  );
});

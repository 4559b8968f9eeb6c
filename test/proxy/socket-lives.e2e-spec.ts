import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { randomFrom } from '../support/random.ts';
import { heldBy, reload, until } from '../support/reload.ts';
import { shopConfig } from '../support/shop.ts';
import { clientFrame, useSocketWorld } from '../support/socket-routes.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const open = { authentication: 'public' };
const route = (id: string, more: object = {}): object => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  webSocket: 'on',
  policies: open,
  ...more,
});

let twins: readonly { upstream: TestUpstream; service: SocketService }[] = [];
const startTwins = async (): Promise<void> => {
  const upstreams = [await startUpstream(), await startUpstream()];
  twins = upstreams.map((upstream) => ({ upstream, service: echoSockets(upstream.server) }));
};
await startTwins();

const options = {
  upstreams: () => ({
    twins: {
      targets: twins.map(({ upstream }) => upstream.url),
      balancing: 'leastRequests',
      circuitBreaker: { consecutiveFailures: 1, window: 1, openFor: '1h' },
      retry: { attempts: 1 },
    },
  }),
  routes: [
    route('one'),
    route('zip', { webSocket: { compression: 'pass' } }),
    route('twins', { upstream: 'twins' }),
    route('slow', { upstream: 'twins', webSocket: { maxMessage: '64MiB' } }),
  ] as never,
};
const world = useSocketWorld(options, true);
afterEach(() => world.service.stop());

describe('a WebSocket that is forwarded', () => {
  it('agrees on compression only where the route lets both ends do so, and carries what they make of it', async () => {
    const plain = await world.open('/one', { perMessageDeflate: true });
    expect((plain.client.socket as unknown as { extensions: string }).extensions).toBe('');
    expect(world.service.handshakes.at(-1)?.headers).not.toHaveProperty('sec-websocket-extensions');
    const { client } = await world.open('/zip', { perMessageDeflate: true });
    expect((client.socket as unknown as { extensions: string }).extensions).toContain('permessage-deflate');
    const text = 'over and over again '.repeat(5000);
    client.socket.send(text);
    await until(() => client.heard.length === 1);
    expect(client.heard[0]).toBe(text);
    client.socket.close();
    await client.closed;
    const line = await world.lineOf('zip', 1005);
    expect((line['socket'] as { in: { bytes: number } }).in.bytes).toBeLessThan(10_000);
  });

  it('counts as in flight at its target for as long as it is open, and the breaker hears of the handshake only', async () => {
    const [first, second] = twins as [(typeof twins)[0], (typeof twins)[0]];
    for (let i = 0; i < 4; i += 1) await once(world.connect('/twins').socket, 'open');
    expect([first.service.open.length, second.service.open.length]).toEqual([2, 2]);
    for (const one of first.service.open) one.close(1011, 'broken');
    await until(() => first.service.open.length === 0);
    await until(() => world.shop.gateway.lines.filter((line) => line['route'] === 'twins').length === 2);
    for (let i = 0; i < 2; i += 1) await once(world.connect('/twins').socket, 'open');
    // Both went to the one that had fewer, whatever became of the sockets that it had.
    expect([first.service.open.length, second.service.open.length]).toEqual([2, 2]);
    for (const { service } of twins) service.stop();
  });

  it('holds no more than a bound for a client that reads nothing', async () => {
    const service = twins[0]?.service as SocketService;
    const other = twins[1]?.service as SocketService;
    const came = Promise.race([once(service, 'socket'), once(other, 'socket')]);
    const client = world.connect('/slow');
    const [behind] = (await came) as [{ send(data: Buffer, done: () => void): void; bufferedAmount: number }];
    await once(client.socket, 'open');
    client.socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    const piece = Buffer.alloc(2 ** 20, 'x');
    const pieces = 32;
    let sent = 0;
    for (let i = 0; i < pieces; i += 1) behind.send(piece, () => (sent += 1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    // What waits is with the service, and in the system's buffers.
    expect(sent).toBeLessThan(pieces);
    expect(behind.bufferedAmount).toBeGreaterThan(10 * 2 ** 20);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(
      behind.bufferedAmount + pieces * 2 ** 18,
    );
    client.socket.resume();
    await until(() => client.heard.length === pieces);
    for (const twin of twins) twin.service.stop();
  });

  it('is not hurt by random bytes of clients, and nobody else is either', async () => {
    const faults: unknown[] = [];
    const note = (error: unknown): void => void faults.push(error);
    process.on('uncaughtException', note);
    const honest = await world.open('/one');
    const random = randomFrom(8441);
    const some = (most: number): number => Math.floor(random() * most);
    const raws = Array.from({ length: 60 }, () => world.raw('/one'));
    await until(() => raws.every(({ heard }) => heard.includes('HTTP/1.1 101')));
    for (const { socket } of raws) {
      for (let i = 0; i < 20; i += 1) {
        const sound = clientFrame(
          [0x81, 0x01, 0x80, 0x89, 0x8a, 0x82][some(6)] as number,
          'x'.repeat(some(100)),
        );
        if (some(3) === 0) sound[some(sound.length)] = some(256);
        socket.write(some(6) === 0 ? Buffer.from(Array.from({ length: some(50) }, () => some(256))) : sound);
      }
      if (some(2) === 0) socket.end();
      if (some(4) === 0) socket.destroy();
    }
    honest.client.socket.send('still here');
    await until(() => honest.client.heard.includes('still here'));
    for (const { socket } of raws) socket.destroy();
    await until(() => world.service.open.length === 1);
    process.off('uncaughtException', note);
    expect(faults).toEqual([]);
  });

  it('keeps what it began with when another configuration is in force, and lives on when its route is gone', async () => {
    const { gateway, services, echo } = world.shop;
    const { client, behind } = await world.open('/one');
    const before = heldBy(gateway);
    const without = shopConfig(services, echo, { ...options, routes: [] as never, more: { modules: [] } });
    expect((await reload(gateway, without)).outcome).toBe('reloaded');
    expect(heldBy(gateway)).toBe(before + 1);
    client.socket.send('still here');
    await until(() => client.heard.length === 1);
    expect((await world.refused('/one')).status).toBe(404);
    expect(
      (await reload(gateway, shopConfig(services, echo, { ...options, more: { modules: [] } }))).outcome,
    ).toBe('reloaded');
    behind.close(1000);
    await client.closed;
    await until(() => heldBy(gateway) === before);
    await world.open('/one');
  });

  it('is sent away with 1012 when the gateway leaves, and its service with 1001', async () => {
    const sockets = await Promise.all([world.open('/one'), world.open('/one')]);
    const ended = sockets.map(({ behind }) => once(behind, 'close'));
    const stopped = world.shop.gateway.stop();
    for (const { client } of sockets)
      expect(await client.closed).toEqual({ code: 1012, reason: 'Service restart' });
    for (const end of ended) expect((await end)[0]).toBe(1001);
    await stopped;
    await Promise.all(twins.map(({ upstream }) => upstream.stop()));
  });
});

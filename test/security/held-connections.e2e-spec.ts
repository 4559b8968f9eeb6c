import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawClient, statusIn, until } from '../support/body-doors.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { startShop, type Shop } from '../support/shop.ts';
import { echo, startUpstream, type TestUpstream } from '../support/upstream.ts';

const IDLE_MS = 400;
const LINES = 'Content-Type: application/x-ndjson\r\n';

let shop: Shop;
let narrow: TestUpstream;
let kinds: KindsServer;

beforeAll(async () => {
  [narrow, kinds] = await Promise.all([startUpstream(), new KindsServer().start()]);
  const timeouts = { queue: '150ms', idle: `${IDLE_MS}ms` };
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
  const open = { authentication: 'public' };
  shop = await startShop({
    policies: { deadline: 'off' },
    upstreams: () => ({
      narrow: { targets: [narrow.url], maxConnections: 2, timeouts, ...calm },
      kinds: {
        protocol: 'grpc',
        descriptorSet: 'proto/test/kinds.binpb',
        targets: [kinds.url],
        timeouts,
        ...calm,
      },
    }),
    routes: [
      { id: 'narrow', match: { path: '/narrow' }, upstream: 'narrow', policies: open },
      {
        id: 'patient',
        match: { path: '/patient' },
        upstream: 'narrow',
        policies: { ...open, bodyIdle: 'off' },
      },
      {
        id: 'composed',
        match: { path: '/composed' },
        aggregate: { calls: { one: { upstream: 'narrow', path: '/one', required: true } } },
        policies: open,
      },
      { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' }, policies: open },
    ],
  });
});
beforeEach(() => {
  narrow.listener = echo;
  narrow.requests.length = 0;
  kinds.reset();
});
afterAll(async () => {
  await shop.stop();
  await narrow.stop();
  kinds.stop();
});

/** More than is held back until it is whole: from then on it has a connection to the target. */
const MUCH = 'a'.repeat(66_000);

const upload = (body: string, path = '/narrow', fields = '') =>
  new RawClient(shop.gateway.url).post({ path, fields }, { length: 100_000_000, body });

describe('uploads that fall silent and hold every connection', () => {
  it('make others wait for `timeouts.queue` and no longer, and let go after `timeouts.idle`', async () => {
    const silent = [upload(MUCH), upload(MUCH)];
    await until(() => narrow.requests.length === 2);
    const waiting = await shop.call('/narrow');
    expect(waiting.status).toBe(503);
    expect(waiting.json()).toMatchObject({ code: 'no-available-target' });
    expect(waiting.headers['retry-after']).toBe('1');
    expect(await shop.lineOf(waiting)).toMatchObject({ status: 503, refused: { stage: 'balance' } });
    expect(narrow.requests).toHaveLength(2);
    for (const one of silent) expect(statusIn(await one.answer())).toBe(408);
    expect((await shop.call('/narrow')).status).toBe(200);
  });

  it('whoever waits gets the connection that becomes free in time', async () => {
    const silent = [upload(MUCH), upload(MUCH)];
    await until(() => narrow.requests.length === 2);
    const waiting = shop.call('/narrow');
    await sleep(20);
    silent[0]?.socket.destroy();
    expect((await waiting).status).toBe(200);
    silent[1]?.socket.destroy();
  });
});

describe('uploads of which a byte has come', () => {
  it('take nothing from others: no connection is taken for them, and they are cut off', async () => {
    const trickling = Array.from({ length: 64 }, () =>
      new RawClient(shop.gateway.url).post({ path: '/narrow', fields: '' }, { length: 100_000, body: 'a' }),
    );
    await sleep(50);
    const before = narrow.requests.length;
    for (let i = 0; i < 5; i += 1) expect((await shop.call('/narrow')).status).toBe(200);
    expect([before, narrow.requests.length]).toEqual([0, 5]);
    for (const one of trickling) expect(statusIn(await one.answer())).toBe(408);
  });
});

describe('calls that hold every connection', () => {
  it('make others wait for `timeouts.queue` and no longer', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    narrow.listener = (request, response) => void held.then(() => echo(request, response));
    const calls = [shop.call('/composed'), shop.call('/composed')];
    await until(() => narrow.requests.length === 2);
    const waiting = await shop.call('/composed');
    expect([waiting.status, waiting.headers['retry-after']]).toEqual([503, '1']);
    expect(waiting.json()).toMatchObject({ code: 'no-available-target' });
    release();
    for (const one of await Promise.all(calls)) expect(one.status).toBe(200);
  });
});

describe('an upload that the upstream does not take', () => {
  const flood = (socket: Socket, piece: string): void => {
    while (socket.writable && socket.writableLength < 20_000_000) socket.write(piece);
  };

  it('ends with 504 after `timeouts.idle` at a proxied route, also when its client has left', async () => {
    narrow.listener = (request) => void request.pause();
    for (const leaves of [false, true]) {
      const before = narrow.requests.length;
      const one = upload('', '/narrow', `X-Request-Id: untaken-${leaves}\r\n`);
      flood(one.socket, 'x'.repeat(65_536));
      await until(() => narrow.requests.length > before);
      // Before the gateway has stopped to read it, it would hear that the client has left.
      for (let unsent = -1, same = 0; same < 5; await sleep(50)) {
        same = unsent === one.socket.writableLength ? same + 1 : 0;
        unsent = one.socket.writableLength;
      }
      if (leaves) one.socket.destroy();
      else expect(statusIn(await one.answer())).toBe(504);
      expect(await shop.lineOfId(`untaken-${leaves}`)).toMatchObject({
        refused: { code: 'upstream-timeout' },
      });
    }
    narrow.listener = echo;
    expect((await shop.call('/narrow')).status).toBe(200);
  });

  it('ends with 504 also where a client may be silent for as long as it likes', async () => {
    narrow.listener = (request) => void request.pause();
    const one = upload('', '/patient');
    flood(one.socket, 'x'.repeat(65_536));
    expect(statusIn(await one.answer())).toBe(504);
  });

  it('ends after `timeouts.idle` at a translated stream, also when its client has left', async () => {
    kinds.hold = new Promise(() => undefined);
    for (const leaves of [false, true]) {
      kinds.cancelled = 0;
      const one = upload('', '/test/sum', LINES);
      flood(one.socket, `${JSON.stringify({ number: '1', note: 'x'.repeat(60_000) })}\n`);
      await until(() => kinds.calls > 0);
      if (leaves) {
        await sleep(50);
        one.socket.destroy();
      } else expect(statusIn(await one.answer())).toBe(504);
      await until(() => kinds.cancelled === 1);
    }
  });
});

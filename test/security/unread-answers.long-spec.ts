import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { EarlyAnswer, UNREAD_MS } from '../../src/pipeline/early-answer.ts';
import { RawClient } from '../support/body-doors.ts';
import { ServerSide } from '../support/server-side.ts';
import { API_KEY, startShop, type Shop } from '../support/shop.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

/** Longer than this process, which is everybody here, is busy with itself. */
const IDLE_MS = 1000;
/** More than the buffers of two systems hold. */
const BYTES = 24 * 2 ** 20;
const LARGE = 'x'.repeat(BYTES);

@Controller('handler')
class LargeController {
  @Get()
  show(): string {
    return LARGE;
  }
}

@Module({ controllers: [LargeController] })
class LargeModule {}

let narrow: TestUpstream;
let shop: Shop;
let side: ServerSide;
const clients: RawClient[] = [];

beforeAll(async () => {
  narrow = await startUpstream((request, response) => {
    const { url = '' } = request;
    response.end(url === '/small' ? 'small' : LARGE);
  });
  shop = await startShop({
    modules: [LargeModule],
    policies: { deadline: 'off' },
    upstreams: () => ({
      // One connection is all there is.
      narrow: {
        targets: [narrow.url],
        maxConnections: 1,
        timeouts: { idle: `${IDLE_MS}ms`, queue: '10s' },
      },
    }),
    routes: [
      {
        id: 'proxied',
        match: { path: '/proxied/*' },
        upstream: 'narrow',
        rewrite: { stripPrefix: '/proxied' },
      },
    ],
  });
  EarlyAnswer.unreadMs = IDLE_MS;
  side = new ServerSide(shop.gateway);
});
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy();
});
afterAll(async () => {
  EarlyAnswer.unreadMs = UNREAD_MS;
  side.close();
  await shop.stop();
  await narrow.stop();
});

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${API_KEY}\r\n\r\n`;

/** A client that asks and does not read. */
function silent(path: string): RawClient {
  const one = new RawClient(shop.gateway.url, true);
  clients.push(one);
  one.socket.pause();
  one.socket.write(get(path));
  return one;
}

describe('a client that does not read its answer', () => {
  it.each([
    ['streams from an upstream', '/proxied/large'],
    ['comes from a handler', '/handler'],
  ])('is cut off when the answer %s', async (_, path) => {
    await side.untilAtMost(0);
    for (let i = 0; i < 3; i += 1) silent(path);
    while ((await side.connections()) < 3) await sleep(5);
    await side.untilAtMost(0);
  });

  it('does not keep the connection to the upstream', async () => {
    silent('/proxied/large');
    await sleep(50);
    const other = await shop.call('/proxied/small', { apiKey: API_KEY });
    expect([other.status, other.text]).toEqual([200, 'small']);
  });
});

describe('a client that reads', () => {
  it('gets all of its answer, with pauses that are shorter', async () => {
    const one = silent('/proxied/large');
    for (let heard = -1; heard !== one.heard.length && one.heard.length < BYTES;) {
      heard = one.heard.length;
      await sleep(IDLE_MS / 4);
      one.socket.resume();
      await sleep(IDLE_MS / 2);
      one.socket.pause();
    }
    expect(one.heard.length).toBeGreaterThan(BYTES);
  });

  it('keeps its connection, and may wait for the next answer as long as that takes', async () => {
    const one = silent('/proxied/large');
    one.socket.resume();
    await one.until((heard) => heard.length > BYTES);
    const late = narrow.listener;
    narrow.listener = (_request, response) =>
      void setTimeout(() => response.writeHead(200, { 'content-length': 4 }).end('late'), IDLE_MS * 3);
    one.socket.write(get('/proxied/small'));
    await one.until((heard) => heard.endsWith('late'));
    narrow.listener = late;
    expect(one.heard.endsWith('late')).toBe(true);
  });

  it('may wait for the next piece of its answer', async () => {
    const whole = narrow.listener;
    narrow.listener = (_request, response) => {
      response.write(LARGE);
      // `timeouts.idle` is for the silence of the upstream; just below it.
      setTimeout(() => response.end('late'), IDLE_MS * 0.6);
    };
    const one = silent('/proxied/large');
    one.socket.resume();
    await one.until((heard) => heard.endsWith('0\r\n\r\n'));
    narrow.listener = whole;
    expect(one.heard).toContain('late');
  });
});

describe('the time for a client to take something of its answer', () => {
  it('is a minute where no upstream says otherwise', () => {
    expect(UNREAD_MS).toBe(60_000);
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { once, type EventEmitter } from 'node:events';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../src/problems/problem.ts';
import { open, type Answer } from '../support/client.ts';
import { handlers, KeptModule } from '../support/kept-handlers.ts';
import { useShop, type ShopCall } from '../support/shop.ts';

const holder = useShop({ modules: [KeptModule], policies: { deadline: '400ms' } });

const ask = (path: string, options?: ShopCall): Promise<Answer> => holder.shop.call(path, options);
/** Stale as soon as it is stored. */
const STALE = { 'cache-control': 'max-age=0' };

afterEach(() => handlers.clear());

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds() && waited < 10_000; waited += 5) await sleep(5);
  expect(holds()).toBe(true);
}

describe('a stale answer of a handler', () => {
  const FAILURES: readonly (readonly [string, () => void])[] = [
    ['throws what nobody foresaw', () => (handlers.failure = () => Promise.reject(new Error('a bug')))],
    [
      'finds its service gone',
      () => (handlers.failure = () => Promise.reject(new Problem('upstream-unreachable'))),
    ],
    ['answers 503', () => (handlers.status = 503)],
    ['does not answer in time', () => (handlers.waitsFor = sleep(1500))],
  ];
  describe.each(['error', 'edited'])('of %s', (kind) => {
    it.each(FAILURES)('stands in when the handler %s', async (what, fail) => {
      const path = `/stale/${kind}/${what.replaceAll(' ', '-')}`;
      handlers.fields = STALE;
      const good = await ask(path);
      fail();
      const standIn = await ask(path);
      expect([standIn.status, standIn.text]).toEqual([200, good.text]);
      expect(standIn.headers).toMatchObject({
        'x-cache': 'STALE',
        'content-type': good.headers['content-type'],
      });
      expect(standIn.headers['cache-status']).toMatch(/^gatehouse; hit; ttl=-\d+; detail=stale-if-error$/);
      expect(await holder.shop.lineOf(standIn)).toMatchObject({ status: 200, cache: 'hit' });
      handlers.clear();
      expect((await ask(path)).text).not.toBe(good.text);
    });
  });

  it('does not hide what the client did wrong, and is none without a time for that', async () => {
    handlers.fields = STALE;
    await ask('/stale/error/wrong');
    await ask('/kept/json/failing');
    handlers.failure = () => Promise.reject(new Problem('permission-denied'));
    expect((await ask('/stale/error/wrong')).status).toBe(403);
    handlers.failure = () => Promise.reject(new Error('a bug'));
    expect((await ask('/kept/json/failing')).status).toBe(500);
  });

  it('is given while the handler is asked in the background, once', async () => {
    handlers.fields = STALE;
    const path = '/stale/while/a';
    const first = await ask(path);
    handlers.fields = {};
    let go = (): void => {};
    handlers.waitsFor = new Promise<void>((resolve) => (go = resolve));
    const { runs } = handlers;
    const stale = await Promise.all([ask(path), ask(path), ask(path, { method: 'HEAD' })]);
    for (const one of stale) expect(one.headers['x-cache']).toBe('STALE');
    expect(stale[0].text).toBe(first.text);
    await until(() => handlers.runs === runs + 1);
    go();
    let fresh = stale[0];
    for (let i = 0; i < 200 && fresh.headers['x-cache'] !== 'HIT'; i += 1) fresh = await ask(path);
    expect([fresh.headers['x-cache'], fresh.json()['run'], handlers.runs]).toEqual([
      'HIT',
      runs + 1,
      runs + 1,
    ]);
  });

  it('tells of a fault in the background in the log, and of nothing to the client', async () => {
    handlers.fields = STALE;
    const path = '/stale/while/failing';
    await ask(path);
    handlers.failure = () => Promise.reject(new Error('a bug in the background'));
    expect((await ask(path)).headers['x-cache']).toBe('STALE');
    const lines = await holder.shop.gateway.linesWhere(
      ({ msg }) => msg === 'unforeseen fault in the background',
    );
    expect(JSON.stringify(lines[0])).toContain('cache-handlers-failing.e2e-spec');
    handlers.clear();
    handlers.fields = STALE;
    expect((await ask(path)).headers['x-cache']).toBe('STALE');
  });
});

describe('requests for one answer of a handler', () => {
  /** Asks, and resolves once the stages before the handler have seen it. */
  const arrived = async (asking: () => Promise<Answer>): Promise<Promise<Answer>[]> => {
    const server = holder.shop.gateway.gateway.app.getHttpServer() as EventEmitter;
    const seen = once(server, 'request');
    const answer = asking();
    await seen;
    return [answer];
  };
  const held = async (path: string): Promise<() => void> => {
    const { runs } = handlers;
    let go = (): void => {};
    handlers.waitsFor = new Promise<void>((resolve) => (go = resolve));
    void ask(path).catch(() => undefined);
    await until(() => handlers.runs === runs + 1);
    return go;
  };

  it('run it once', async () => {
    const path = '/kept/json/together';
    const { runs } = handlers;
    const go = await held(path);
    const asked: Promise<Answer>[] = [];
    for (let i = 0; i < 9; i += 1) asked.push(...(await arrived(() => ask(path))));
    go();
    const answers = await Promise.all(asked);
    expect(handlers.runs - runs).toBe(1);
    for (const { text, headers } of answers) {
      expect(text).toBe(answers[0]?.text);
      expect(headers['cache-status']).toBe('gatehouse; fwd=uri-miss; collapsed');
    }
  });

  it('go on when the client of the first one leaves', async () => {
    const { runs } = handlers;
    let go = (): void => {};
    handlers.waitsFor = new Promise<void>((resolve) => (go = resolve));
    const leaving = get(`${holder.shop.gateway.url}/kept/json/leaving`, { agent: false });
    const left = once(leaving, 'error');
    await until(() => handlers.runs === runs + 1);
    const [second] = await arrived(() => ask('/kept/json/leaving'));
    leaving.destroy(new Error('left'));
    await left;
    await sleep(50);
    go();
    expect([(await second)?.status, handlers.runs - runs]).toEqual([200, 1]);
  });

  it('go on by themselves when it fails, or may not be kept', async () => {
    const { runs } = handlers;
    handlers.waitsFor = sleep(50);
    handlers.failure = () => Promise.reject(new Problem('upstream-unreachable'));
    const failed = await Promise.all(Array.from({ length: 3 }, () => ask('/kept/json/failing-together')));
    expect(failed.map(({ status }) => status)).toEqual([502, 502, 502]);
    handlers.failure = undefined;
    handlers.fields = { 'cache-control': 'no-store' };
    const own = await Promise.all(Array.from({ length: 3 }, () => ask('/kept/json/private-together')));
    expect(new Set(own.map(({ text }) => text)).size).toBe(3);
    expect(handlers.runs - runs).toBe(6);
  });

  it('are not kept waiting by one that is written past the gateway', async () => {
    handlers.waitsFor = sleep(50);
    const answers = await Promise.all(Array.from({ length: 3 }, () => ask('/kept/raw/together')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('hold up no stream', async () => {
    const head = await open(`${holder.shop.gateway.url}/kept/broken/stream`);
    const pieces: string[] = [];
    await new Promise<void>((resolve) => {
      head.on('data', (piece: Buffer) => pieces.push(piece.toString()));
      head.once('close', resolve).once('error', () => resolve());
    });
    expect(pieces).toEqual(['the beginning']);
  });
});

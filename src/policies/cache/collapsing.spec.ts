import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange, createPrincipal, type TestRequest } from '../../../test/support/exchange.ts';
import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { fieldOf } from '../../exchange/field-list.ts';
import { Problem } from '../../problems/problem.ts';
import { cachePolicy } from './cache.policy.ts';
import { CacheStageFactory } from './cache.stage-factory.ts';

const KEEP = ['cache-control', 'max-age=60'];

beforeEach(() => void jest.useFakeTimers({ now: new Date('2026-11-22T12:00:00Z') }));
afterEach(() => void jest.useRealTimers());

function compile(options: object = {}) {
  const cache = cachePolicy.schema.parse({ ttl: '10s', ...options });
  const stage = new CacheStageFactory().compile({ routeId: 'r', door: 'proxy', policies: { cache } });
  if (stage?.enter === undefined) throw new Error('no stage');
  return stage;
}

interface Asked {
  readonly exchange: Exchange;
  readonly entered: Promise<Answer | void>;
  /** Whether it goes on to the upstream, once that is known. */
  readonly asks: () => boolean;
}

function ask(stage: ReturnType<typeof compile>, request: TestRequest = {}): Asked {
  const exchange = createExchange(request);
  const entered = stage.enter?.(exchange);
  return {
    exchange,
    entered: Promise.resolve(entered ?? undefined),
    asks: () => exchange.recording !== undefined,
  };
}

function reply({ exchange }: Asked, headers: readonly string[] = KEEP, status = 200): void {
  exchange.recording?.start(status, [...headers]);
  exchange.recording?.data(Buffer.from('body'));
  exchange.recording?.end();
  exchange.close();
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
const asking = (all: readonly Asked[]) => all.filter(({ asks }) => asks()).length;
const turn = () => jest.advanceTimersByTimeAsync(0);

describe('requests for the same answer', () => {
  it('reach the upstream once: 10 000 for one cold key', async () => {
    const stage = compile();
    const all = times(10_000, () => ask(stage));
    expect(asking(all)).toBe(1);
    reply(all[0] as Asked);
    const answers = await Promise.all(all.slice(1).map(({ entered }) => entered));
    expect(asking(all)).toBe(1);
    const said = new Set(answers.map((answer) => fieldOf(answer?.headers ?? [], 'cache-status')));
    expect([...said]).toEqual(['gatehouse; fwd=uri-miss; collapsed']);
    expect(answers.every((answer) => answer?.body.toString() === 'body')).toBe(true);
  });

  it('reach it once for a stale one, too, which is asked about', async () => {
    const stage = compile();
    reply(ask(stage), [...KEEP, 'etag', '"a"']);
    jest.advanceTimersByTime(60_000);
    const all = times(20, () => ask(stage));
    expect([asking(all), all[0]?.exchange.validators]).toEqual([1, ['if-none-match', '"a"']]);
    reply(all[0] as Asked, KEEP, 304);
    await Promise.all(all.map(({ entered }) => entered));
    expect(asking(all)).toBe(1);
  });

  it.each<[string, readonly string[]]>([
    ['no-store', ['cache-control', 'no-store']],
    ['a cookie', ['set-cookie', 'a=1']],
    ['private, for callers who are not known', ['cache-control', 'private']],
    ['no time at all', ['cache-control', 'max-age=0']],
    ['Vary: *', ['vary', '*']],
  ])(
    'go on all at once when the first is answered with %s, and the next ones with nobody',
    async (_, head) => {
      const stage = compile();
      const all = times(10, () => ask(stage));
      all[0]?.exchange.recording?.start(200, [...head]);
      all[0]?.exchange.recording?.end();
      await Promise.all(all.map(({ entered }) => entered));
      expect(asking(all)).toBe(10);
      expect(asking(times(10, () => ask(stage)))).toBe(10);
      // But not for ever.
      jest.advanceTimersByTime(10_000);
      expect(asking(times(10, () => ask(stage)))).toBe(1);
    },
  );

  it('go on when the first one turns out to be too large, when its head says so or its body', async () => {
    const stage = compile({ maxBody: '8B' });
    const [one, two] = [ask(stage), ask(stage)];
    one.exchange.recording?.start(200, ['content-length', '9']);
    await two.entered;
    expect(two.asks()).toBe(true);
    const [three, four] = [ask(stage, { target: '/b' }), ask(stage, { target: '/b' })];
    three.exchange.recording?.start(200, []);
    three.exchange.recording?.data(Buffer.alloc(9));
    await four.entered;
    expect(four.asks()).toBe(true);
  });

  it('have the next one ask when the client of the first has left', async () => {
    const stage = compile();
    const all = times(5, () => ask(stage));
    all[0]?.exchange.cancel(new Problem('client-closed'));
    all[0]?.exchange.close();
    await turn();
    expect(all.map(({ asks }) => asks())).toEqual([true, true, false, false, false]);
    reply(all[1] as Asked);
    await Promise.all(all.map(({ entered }) => entered));
    expect(asking(all)).toBe(2);
  });

  it('go on when the upstream fails the first, or share what stands in for it', async () => {
    const stage = compile({ staleIfError: '1h' });
    const cold = times(3, () => ask(stage));
    reply(cold[0] as Asked, [], 503);
    await Promise.all(cold.map(({ entered }) => entered));
    expect(asking(cold)).toBe(3);
    reply(cold[1] as Asked);
    jest.advanceTimersByTime(60_000);
    const stale = times(3, () => ask(stage));
    reply(stale[0] as Asked, [], 503);
    await Promise.all(stale.map(({ entered }) => entered));
    expect(asking(stale)).toBe(1);
    expect(fieldOf(stale[1]?.exchange.cached?.headers ?? [], 'x-cache')).toBe('STALE');
  });

  it('wait no longer than they may', async () => {
    const stage = compile({ collapse: '2s' });
    const all = times(3, () => ask(stage));
    await jest.advanceTimersByTimeAsync(1999);
    expect(asking(all)).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(asking(all)).toBe(3);
  });

  it('ask each by itself when that is switched off', () => {
    const stage = compile({ collapse: 'off' });
    expect(asking(times(5, () => ask(stage)))).toBe(5);
  });

  it.each<[string, readonly string[]]>([
    ['a condition', ['if-none-match', '"a"']],
    ['a date', ['if-modified-since', 'Sun, 22 Nov 2026 12:00:00 GMT']],
    ['no-cache', ['cache-control', 'no-cache']],
    ['max-age', ['cache-control', 'max-age=0']],
  ])('wait for nobody with %s', (_, headers) => {
    const stage = compile();
    ask(stage, { headers });
    expect(ask(stage, { headers }).asks()).toBe(true);
    const range = createExchange({ headers: ['range', 'bytes=0-1'] });
    expect(stage.enter?.(range)).toBeUndefined();
  });

  it('wait for none of another principal, whatever the answer allows', () => {
    const stage = compile();
    const callers = ['ann', 'bob'].map((id) => ask(stage, { principal: createPrincipal(id) }));
    expect(asking([...callers, ask(stage)])).toBe(3);
  });

  it('are answered by variants, each of which is asked for once', async () => {
    const stage = compile({ scope: 'public' });
    const all = times(30, () => 0).map((_, at) => ask(stage, { headers: ['accept', String(at % 3)] }));
    expect(asking(all)).toBe(1);
    reply(all[0] as Asked, [...KEEP, 'vary', 'accept']);
    await turn();
    expect(asking(all)).toBe(3);
    for (const one of all.filter(({ asks }) => asks()).slice(1)) reply(one, [...KEEP, 'vary', 'accept']);
    await Promise.all(all.map(({ entered }) => entered));
    expect(asking(all)).toBe(3);
  });

  it('leave when their client does', async () => {
    const stage = compile();
    const [one, two] = [ask(stage), ask(stage)];
    two.exchange.cancel(new Problem('client-closed'));
    expect(await two.entered).toBeUndefined();
    reply(one);
    expect(two.asks()).toBe(false);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange, createPrincipal, type TestRequest } from '../../../test/support/exchange.ts';
import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { AnswerStore } from './answer-store.ts';
import { cachePolicy } from './cache.policy.ts';
import { compileHeaderEdits } from '../transform/header-edits.ts';
import { CacheStageFactory } from './cache.stage-factory.ts';

const pairsOf = (headers: readonly string[]) =>
  headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1]] as const] : []));

const ann = createPrincipal('ann');
const bob = createPrincipal('bob');

describe('CacheStage', () => {
  let factory: CacheStageFactory;

  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-11-22T12:00:00Z') });
    factory = new CacheStageFactory();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  function compile(options: object = {}, routeId = 'r') {
    const cache = cachePolicy.schema.parse({ ttl: '10s', collapse: 'off', ...options });
    const stage = factory.compile({ routeId, door: 'proxy', policies: { cache } });
    if (stage === undefined) throw new Error('no stage');
    return stage;
  }

  type Cache = ReturnType<typeof compile>;

  function enter(stage: Cache, request: TestRequest): Exchange {
    const exchange = createExchange(request);
    void stage.enter?.(exchange);
    return exchange;
  }

  /** Sends a request whose answer the stage may keep. */
  function answer(stage: Cache, request: TestRequest, headers: readonly string[] = [], body = 'body'): void {
    const { recording, cached } = enter(stage, request);
    expect(cached).toBeUndefined();
    recording?.start(200, [...headers]);
    recording?.data(Buffer.from(body));
    recording?.end();
  }

  const hit = (stage: Cache, request: TestRequest) => enter(stage, request).cached?.body.toString();

  it('is for both doors, and absent without the policy', () => {
    const cache = cachePolicy.schema.parse({ ttl: '1s' });
    for (const door of ['proxy', 'handler'] as const) {
      expect(factory.compile({ routeId: 'r', door, policies: {} })).toBeUndefined();
      expect(factory.compile({ routeId: 'r', door, policies: { cache } })).toBeDefined();
    }
  });

  it('answers from the store while the answer is fresh, and says so', () => {
    const stage = compile();
    answer(stage, { target: '/a?x=1' }, ['content-type', 'text/plain']);
    jest.advanceTimersByTime(9999);
    const { headers, ...rest } = enter(stage, { target: '/a?x=1' }).cached as Answer;
    expect(Object.fromEntries(pairsOf(headers))).toEqual({
      'content-type': 'text/plain',
      date: 'Sun, 22 Nov 2026 12:00:00 GMT',
      'content-length': '4',
      age: '9',
      'x-cache': 'HIT',
      'cache-status': 'gatehouse; hit; ttl=0',
    });
    const lines = pairsOf(headers).map(([name, value]) => `\r\n${name}: ${value}`);
    expect(rest).toEqual({ status: 200, body: Buffer.from('body'), lines: lines.join('') });
    jest.advanceTimersByTime(1);
    expect(hit(stage, { target: '/a?x=1' })).toBeUndefined();
  });

  it('goes by the time that the answer gives itself', () => {
    const stage = compile();
    answer(stage, {}, ['cache-control', 'max-age=100', 'age', '40']);
    jest.advanceTimersByTime(59_000);
    expect(enter(stage, {}).cached?.headers.slice(-6, -4)).toEqual(['age', '99']);
    jest.advanceTimersByTime(1000);
    expect(hit(stage, {})).toBeUndefined();
  });

  it.each<[string, TestRequest]>([
    ['path', { target: '/b' }],
    ['query', { target: '/a?x=1' }],
    ['host', { target: '/a', host: 'other' }],
  ])('tells answers apart by %s', (_, other) => {
    const stage = compile();
    answer(stage, { target: '/a' });
    expect(hit(stage, other)).toBeUndefined();
    expect(hit(stage, { target: '/a' })).toBe('body');
  });

  it('tells the answers of routes apart', () => {
    answer(compile(), {});
    expect(hit(compile({}, 'other'), {})).toBeUndefined();
  });

  describe('partitions', () => {
    it('never gives the answer of one principal to another', () => {
      const stage = compile();
      answer(stage, { principal: ann }, ['cache-control', 'public, s-maxage=60']);
      expect(hit(stage, { principal: bob })).toBeUndefined();
      expect(hit(stage, { principal: createPrincipal('ann', { scheme: 'apiKey' }) })).toBeUndefined();
      expect(hit(stage, {})).toBeUndefined();
      expect(hit(stage, { principal: ann })).toBe('body');
    });

    it('keeps private answers within the partition of their user, and none of an application', () => {
      const stage = compile();
      answer(stage, { principal: ann }, ['cache-control', 'private, max-age=5']);
      expect(hit(stage, { principal: ann })).toBe('body');
      for (const application of [
        createPrincipal('app', { scheme: 'apiKey' }),
        createPrincipal('app', { subject: undefined }),
      ]) {
        answer(stage, { principal: application }, ['cache-control', 'private, max-age=5']);
        expect(hit(stage, { principal: application })).toBeUndefined();
      }
    });

    it('does not keep private answers for callers without a principal, who share a partition', () => {
      const stage = compile();
      answer(stage, {}, ['cache-control', 'private, max-age=5']);
      expect(hit(stage, {})).toBeUndefined();
    });

    it('shares with `scope: public` only what the answer allows', () => {
      const stage = compile({ scope: 'public' });
      answer(stage, { principal: ann }, ['cache-control', 'max-age=60']);
      expect(hit(stage, { principal: ann })).toBeUndefined();
      answer(stage, { principal: ann }, ['cache-control', 'public, max-age=60']);
      expect(hit(stage, { principal: bob })).toBe('body');
    });

    it.each(['authorization', 'cookie'])(
      'keeps nothing of a caller whose %s only the upstream reads',
      (name) => {
        const stage = compile();
        answer(stage, { headers: [name, 'ann'] }, ['cache-control', 'max-age=60']);
        expect(hit(stage, { headers: [name, 'ann'] })).toBeUndefined();
        expect(hit(stage, {})).toBeUndefined();
        answer(stage, { headers: [name, 'ann'] }, ['cache-control', 'public, max-age=60']);
        expect(hit(stage, { headers: [name, 'bob'] })).toBeUndefined();
        expect(hit(stage, { headers: [name, 'ann'] })).toBe('body');
      },
    );

    it('shares with `scope: public` what an answer to a credential opens', () => {
      const stage = compile({ scope: 'public' });
      answer(stage, { headers: ['cookie', 'ann'] }, ['cache-control', 'max-age=60']);
      answer(stage, { headers: ['cookie', 'ann'] }, ['cache-control', 'public, max-age=60']);
      expect(hit(stage, { headers: ['cookie', 'bob'] })).toBe('body');
      expect(hit(stage, {})).toBeUndefined();
    });

    it('does not count what the route removes before the request goes on', () => {
      const stage = compile();
      const enterEdited = (value: string) => {
        const exchange = createExchange({
          principal: ann,
          headers: ['authorization', value, 'x-noise', value],
        });
        exchange.headerEdits = compileHeaderEdits({
          setHeaders: { 'x-noise': 'ours' },
          removeHeaders: ['authorization'],
        })?.fixed;
        void stage.enter?.(exchange);
        return exchange;
      };
      const { recording } = enterEdited('one');
      recording?.start(200, ['vary', 'x-noise']);
      recording?.end();
      expect(enterEdited('two').cached).toBeDefined();
    });

    it('gives a caller with a cookie no answer that was made for one without', () => {
      const stage = compile();
      answer(stage, {});
      expect(hit(stage, { headers: ['cookie', 'session=1'] })).toBeUndefined();
    });

    it.each(['X-Forwarded-For', 'forwarded', 'X-Real-IP', 'traceparent', 'x_user_id'])(
      'keeps no answer that varies by %s, which is in no key',
      (name) => {
        const stage = compile();
        answer(stage, { principal: ann }, ['vary', name]);
        expect(hit(stage, { principal: ann })).toBeUndefined();
      },
    );

    it.each(['X-User-Id', 'x-tenant-id', 'X-Forwarded-Proto', 'X-Forwarded-Host'])(
      'keeps for a principal what varies by %s, which is in the key',
      (name) => {
        const stage = compile();
        answer(stage, { principal: ann }, ['vary', name]);
        expect(hit(stage, { principal: ann })).toBe('body');
      },
    );

    it('keeps no shared answer that varies by who the upstream took the caller for', () => {
      const stage = compile({ scope: 'public' });
      answer(stage, { principal: ann }, ['cache-control', 'public', 'vary', 'Accept, X-User-Id']);
      expect(hit(stage, { principal: bob })).toBeUndefined();
    });
  });

  describe('variants', () => {
    it('are told apart by every field that Vary names, on any line', () => {
      const stage = compile({ scope: 'public' });
      const headers = ['accept', 'a/b', 'accept-language', 'de'];
      answer(stage, { headers }, ['Vary', 'Accept', 'vary', 'Accept-Language']);
      expect(hit(stage, { headers })).toBe('body');
      expect(hit(stage, { headers: ['accept', 'a/b', 'accept-language', 'en'] })).toBeUndefined();
      expect(hit(stage, { headers: ['accept', 'a/b'] })).toBeUndefined();
      expect(hit(stage, { headers: ['accept', 'a/b', ...headers] })).toBeUndefined();
    });

    it('are kept side by side, each in place of the one before', () => {
      const stage = compile({ scope: 'public' });
      answer(stage, { headers: ['accept', '1'] }, ['vary', 'accept'], 'one');
      answer(stage, { headers: ['accept', '2'] }, ['vary', 'accept'], 'two');
      const headers = ['accept', '2', 'cache-control', 'no-cache'];
      answer(stage, { headers }, ['vary', 'accept'], 'three');
      expect(hit(stage, { headers: ['accept', '1'] })).toBe('one');
      expect(hit(stage, { headers: ['accept', '2'] })).toBe('three');
    });
  });

  describe('what the request says', () => {
    it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('leaves %s alone', (method) => {
      const stage = compile();
      answer(stage, {});
      const { cached, recording } = enter(stage, { method });
      expect([cached, recording]).toEqual([undefined, undefined]);
    });

    it('answers HEAD from the answer to GET, and stores none of its own', () => {
      const stage = compile();
      expect(enter(stage, { method: 'HEAD' }).recording).toBeUndefined();
      answer(stage, {});
      expect(hit(stage, { method: 'HEAD' })).toBe('body');
    });

    it.each([
      ['cache-control', 'no-store'],
      ['content-length', '1'],
      ['transfer-encoding', 'chunked'],
      ['if-match', '"1"'],
      ['if-unmodified-since', 'Sun, 22 Nov 2026 12:00:00 GMT'],
    ])('leaves a request with %s: %s alone', (name, value) => {
      const stage = compile();
      answer(stage, {});
      const { cached, recording } = enter(stage, { headers: [name, value] });
      expect([cached, recording]).toEqual([undefined, undefined]);
    });

    it('takes an empty body for none', () => {
      const stage = compile();
      answer(stage, { headers: ['content-length', '0'] });
      expect(hit(stage, {})).toBe('body');
    });

    it('asks anew for no-cache, and keeps the new answer', () => {
      const stage = compile();
      answer(stage, {}, [], 'old');
      answer(stage, { headers: ['cache-control', 'no-cache'] }, [], 'new');
      expect(hit(stage, {})).toBe('new');
    });
  });

  describe('what is stored', () => {
    it.each([
      ['cache-control', 'no-store'],
      ['set-cookie', 'a=b'],
      ['vary', '*'],
    ])('is nothing of an answer with %s: %s', (name, value) => {
      const stage = compile();
      answer(stage, {}, [name, value]);
      expect(hit(stage, {})).toBeUndefined();
    });

    it('is no body over `maxBody`, and none that broke off', () => {
      const stage = compile({ maxBody: '4B' });
      answer(stage, { target: '/large' }, [], '12345');
      expect(hit(stage, { target: '/large' })).toBeUndefined();
      answer(stage, { target: '/small' }, [], '1234');
      expect(hit(stage, { target: '/small' })).toBe('1234');
      const { recording } = enter(stage, { target: '/broken' });
      recording?.start(200, []);
      recording?.data(Buffer.from('12'));
      expect(hit(stage, { target: '/broken' })).toBeUndefined();
    });

    it('is nothing that was asked for before its URI was changed', () => {
      const store = new AnswerStore();
      const stage = new CacheStageFactory(store).compile({
        routeId: 'r',
        door: 'proxy',
        policies: { cache: cachePolicy.schema.parse({ ttl: '10s' }) },
      });
      if (stage === undefined) throw new Error('no stage');
      const { recording } = enter(stage, { target: '/a' });
      store.invalidate('localhost/a');
      recording?.start(200, []);
      recording?.end();
      expect(hit(stage, { target: '/a' })).toBeUndefined();
      answer(stage, { target: '/a' });
      expect(hit(stage, { target: '/a' })).toBe('body');
    });

    it('is as old as it says when its time is that of the route', () => {
      const stage = compile();
      answer(stage, {}, ['age', '9']);
      jest.advanceTimersByTime(999);
      expect(hit(stage, {})).toBe('body');
      jest.advanceTimersByTime(1);
      expect(hit(stage, {})).toBeUndefined();
    });

    it('is a copy that nobody can change', () => {
      const stage = compile();
      const chunk = Buffer.from('body');
      const headers = ['a', '1'];
      const { recording } = enter(stage, {});
      recording?.start(200, headers);
      recording?.data(chunk);
      headers.push('b', '2');
      chunk.fill('x');
      recording?.end();
      expect(enter(stage, {}).cached).toMatchObject({
        headers: expect.not.arrayContaining(['b']),
        body: Buffer.from('body'),
      });
    });
  });

  describe('staleIfError', () => {
    const standIn = (stage: Cache, request: TestRequest = {}) =>
      stage.standIn?.(enter(stage, request))?.headers.slice(-6, -2);

    it('lets a stale answer stand in, marked, for as long as it says', () => {
      const stage = compile({ staleIfError: '60s' });
      answer(stage, {});
      jest.advanceTimersByTime(69_999);
      expect(hit(stage, {})).toBeUndefined();
      expect(standIn(stage)).toEqual(['age', '69', 'x-cache', 'STALE']);
      jest.advanceTimersByTime(1);
      expect(standIn(stage)).toBeUndefined();
    });

    it('gives none to another principal, nor for another method or variant', () => {
      const stage = compile({ staleIfError: '60s' });
      answer(stage, { principal: ann, headers: ['accept', '1'] }, ['vary', 'accept']);
      jest.advanceTimersByTime(20_000);
      expect(standIn(stage, { principal: bob, headers: ['accept', '1'] })).toBeUndefined();
      expect(standIn(stage, { principal: ann, headers: ['accept', '2'] })).toBeUndefined();
      expect(standIn(stage, { principal: ann, headers: ['accept', '1'], method: 'POST' })).toBeUndefined();
      expect(standIn(stage, { principal: ann, headers: ['accept', '1'] })).toBeDefined();
    });

    it('gives none that must be revalidated', () => {
      const stage = compile({ staleIfError: '60s' });
      answer(stage, {}, ['cache-control', 'max-age=1, must-revalidate']);
      jest.advanceTimersByTime(2000);
      expect(standIn(stage)).toBeUndefined();
    });

    it('is off unless it is asked for', () => {
      const stage = compile();
      answer(stage, {});
      jest.advanceTimersByTime(10_000);
      expect(standIn(stage)).toBeUndefined();
    });
  });
});

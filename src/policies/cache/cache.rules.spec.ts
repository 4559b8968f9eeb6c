import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange, createPrincipal, type TestRequest } from '../../../test/support/exchange.ts';
import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { fieldOf } from '../../exchange/field-list.ts';
import { Problem } from '../../problems/problem.ts';
import { cachePolicy } from './cache.policy.ts';
import { CacheStageFactory } from './cache.stage-factory.ts';

const NOW = 'Sun, 22 Nov 2026 12:00:00 GMT';
const EARLIER = 'Sun, 22 Nov 2026 11:00:00 GMT';
const BODY = '0123456789';

let factory: CacheStageFactory;

beforeEach(() => {
  jest.useFakeTimers({ now: new Date(NOW) });
  factory = new CacheStageFactory();
});

afterEach(() => void jest.useRealTimers());

function compile(options: object = {}) {
  const cache = cachePolicy.schema.parse({ ttl: '10s', scope: 'public', ...options });
  const stage = factory.compile({ routeId: 'r', door: 'proxy', policies: { cache } });
  if (stage?.enter === undefined) throw new Error('no stage');
  return stage;
}

type Cache = ReturnType<typeof compile>;

const enter = (stage: Cache, exchange: Exchange) => stage.enter?.(exchange);
const ask = (stage: Cache, request: TestRequest = {}) => {
  const exchange = createExchange(request);
  return { exchange, entered: enter(stage, exchange) };
};
const get = (stage: Cache, ...headers: string[]) => ask(stage, { headers });
const statusOf = (answer: Answer | undefined) => answer && fieldOf(answer.headers, 'cache-status');

/** Has the upstream answer what a request goes on for. */
function reply(
  exchange: Exchange,
  headers: readonly string[],
  status = 200,
  body = BODY,
): Answer | undefined {
  const head = [...headers];
  const inPlace = exchange.recording?.start(status, head);
  exchange.recording?.data(Buffer.from(body));
  exchange.recording?.end();
  if (inPlace === 'unfit') throw new Error('the upstream has answered something else');
  return inPlace;
}

function store(stage: Cache, headers: readonly string[], request: TestRequest = {}): void {
  reply(ask(stage, request).exchange, headers);
}

const MAX_AGE = ['cache-control', 'max-age=10', 'date', NOW];

describe('what a client says of itself', () => {
  it.each<[string, string[], string[], number]>([
    ['the same tag', ['if-none-match', '"a"'], ['etag', '"a"'], 304],
    ['a weak one', ['if-none-match', 'W/"a"'], ['etag', '"a"'], 304],
    ['one of several', ['if-none-match', '"b", "a", "c"'], ['etag', 'W/"a"'], 304],
    ['any', ['if-none-match', '*'], ['etag', '"a"'], 304],
    ['another tag', ['if-none-match', '"b"'], ['etag', '"a"'], 200],
    ['a tag within another', ['if-none-match', '"x"a""'], ['etag', '"a"'], 200],
    ['the very date', ['if-modified-since', EARLIER], ['last-modified', EARLIER], 304],
    ['a later date', ['if-modified-since', NOW], ['last-modified', EARLIER], 304],
    ['an earlier date', ['if-modified-since', EARLIER], ['last-modified', NOW], 200],
    ['no date', ['if-modified-since', '0'], ['last-modified', EARLIER], 200],
    ['a date, for what has none but its own', ['if-modified-since', NOW], [], 304],
    ['a tag, which counts more', ['if-none-match', '"b"', 'if-modified-since', NOW], ['etag', '"a"'], 200],
  ])('answers a condition with %s', (_, condition, validators, status) => {
    const stage = compile();
    store(stage, [...MAX_AGE, ...validators, 'content-type', 'text/plain']);
    const { entered } = get(stage, ...condition);
    expect(entered).toMatchObject({ status, body: Buffer.from(status === 304 ? '' : BODY) });
    const { headers } = entered as Answer;
    expect(fieldOf(headers, 'content-type')).toBe(status === 304 ? undefined : 'text/plain');
    expect([fieldOf(headers, 'date'), fieldOf(headers, 'age')]).toEqual([NOW, '0']);
  });

  it.each<[string, string[], number, string, string | undefined]>([
    ['a range', ['range', 'bytes=2-4'], 206, '234', 'bytes 2-4/10'],
    ['the rest', ['range', 'bytes=8-'], 206, '89', 'bytes 8-9/10'],
    ['the last', ['range', 'bytes=-3'], 206, '789', 'bytes 7-9/10'],
    ['more than there is', ['range', 'bytes=8-99'], 206, '89', 'bytes 8-9/10'],
    ['the last of more', ['range', 'bytes=-99'], 206, BODY, 'bytes 0-9/10'],
    ['one outside', ['range', 'bytes=10-'], 416, '', 'bytes */10'],
    ['the last none', ['range', 'bytes=-0'], 416, '', 'bytes */10'],
    ['another unit', ['range', 'lines=1-2'], 200, BODY, undefined],
    ['several', ['range', 'bytes=0-1,3-4'], 200, BODY, undefined],
    ['an inverted one', ['range', 'bytes=4-2'], 200, BODY, undefined],
    ['one of this tag', ['range', 'bytes=0-0', 'if-range', '"a"'], 206, '0', 'bytes 0-0/10'],
    ['one of another tag', ['range', 'bytes=0-0', 'if-range', '"b"'], 200, BODY, undefined],
    ['one of a weak tag', ['range', 'bytes=0-0', 'if-range', 'W/"a"'], 200, BODY, undefined],
    ['one of this date', ['range', 'bytes=0-0', 'if-range', EARLIER], 206, '0', 'bytes 0-0/10'],
    ['one of another date', ['range', 'bytes=0-0', 'if-range', NOW], 200, BODY, undefined],
  ])('takes %s out of what is complete', (_, headers, status, body, range) => {
    const stage = compile();
    store(stage, [...MAX_AGE, 'etag', '"a"', 'last-modified', EARLIER]);
    const { entered } = get(stage, ...headers);
    expect(entered).toMatchObject({ status, body: Buffer.from(body) });
    expect(fieldOf((entered as Answer).headers, 'content-range')).toBe(range);
    expect(fieldOf((entered as Answer).headers, 'content-length')).toBe(
      status === 416 ? undefined : String(body.length),
    );
  });

  it('keeps nothing of a range that is not there', () => {
    const stage = compile();
    expect(get(stage, 'range', 'bytes=0-1').exchange.recording).toBeUndefined();
  });

  // The answer is 6 s old, fresh for another 4 s, or stale for 1 s.
  it.each<[string, number, string[], string | undefined]>([
    ['nothing', 6, [], 'gatehouse; hit; ttl=4'],
    ['max-age above its age', 6, ['cache-control', 'max-age=6'], 'gatehouse; hit; ttl=4'],
    ['max-age below its age', 6, ['cache-control', 'max-age=5'], undefined],
    ['min-fresh that it has', 6, ['cache-control', 'min-fresh=4'], 'gatehouse; hit; ttl=4'],
    ['min-fresh that it has not', 6, ['cache-control', 'min-fresh=5'], undefined],
    ['no-cache', 6, ['cache-control', 'no-cache'], undefined],
    ['Pragma', 6, ['pragma', 'no-cache'], undefined],
    ['Pragma beside Cache-Control', 6, ['pragma', 'no-cache', 'cache-control', 'x'], 'gatehouse; hit; ttl=4'],
    ['nothing of a stale one', 11, [], undefined],
    ['max-stale', 11, ['cache-control', 'max-stale'], 'gatehouse; hit; ttl=-1; detail=stale'],
    ['max-stale=1', 11, ['cache-control', 'max-stale=1'], 'gatehouse; hit; ttl=-1; detail=stale'],
    ['max-stale=0', 11, ['cache-control', 'max-stale=0'], undefined],
  ])('heeds %s', (_, seconds, headers, status) => {
    const stage = compile();
    store(stage, [...MAX_AGE, 'etag', '"a"']);
    jest.advanceTimersByTime(seconds * 1000);
    expect(statusOf(get(stage, ...headers).entered as Answer)).toBe(status);
  });

  it.each(['must-revalidate', 'proxy-revalidate', 's-maxage=10', 'no-cache'])(
    'gives nothing stale that says %s',
    (directive) => {
      const stage = compile({ staleIfError: '1h', staleWhileRevalidate: '1h' });
      store(stage, ['cache-control', `max-age=10, ${directive}`, 'etag', '"a"']);
      jest.advanceTimersByTime(10_000);
      const { entered, exchange } = get(stage, 'cache-control', 'max-stale=99, stale-if-error=99');
      expect([entered, stage.standIn?.(exchange)]).toEqual([undefined, undefined]);
    },
  );

  it('answers only-if-cached from the store, or refuses it', () => {
    const stage = compile();
    const only = ['cache-control', 'only-if-cached'];
    expect(() => get(stage, ...only)).toThrow(new Problem('not-cached'));
    store(stage, MAX_AGE);
    expect(get(stage, ...only).entered).toMatchObject({ status: 200 });
    jest.advanceTimersByTime(10_000);
    expect(() => get(stage, ...only)).toThrow(Problem);
  });

  it('leaves alone on a reload what never changes while it is fresh', () => {
    const stage = compile();
    store(stage, ['cache-control', 'max-age=10, immutable']);
    jest.advanceTimersByTime(5000);
    expect(get(stage, 'cache-control', 'max-age=0').entered).toBeDefined();
  });
});

describe('what the upstream is asked about', () => {
  const stale = (stage: Cache, headers: readonly string[] = MAX_AGE) => {
    store(stage, [...headers, 'etag', '"a"', 'last-modified', EARLIER, 'x-old', '1']);
    jest.advanceTimersByTime(10_000);
    return get(stage);
  };

  it('is asked by both validators, and answers anew after a 304 with what that says', () => {
    const stage = compile();
    const { entered, exchange } = stale(stage);
    expect(entered).toBeUndefined();
    expect(exchange.validators).toEqual(['if-none-match', '"a"', 'if-modified-since', EARLIER]);
    const news = ['x-new', '1', 'cache-control', 'max-age=20', 'content-length', '0', 'etag', '"b"'];
    const answer = reply(exchange, news, 304, '');
    expect(answer).toMatchObject({ status: 200, body: Buffer.from(BODY) });
    const { headers } = answer as Answer;
    const named = ['x-old', 'x-new', 'etag', 'content-length', 'cache-control', 'x-cache'];
    expect(named.map((name) => fieldOf(headers, name))).toEqual([
      '1', '1', '"a"', '10', 'max-age=20', 'REVALIDATED',
    ]); // prettier-ignore
    expect(statusOf(answer)).toBe('gatehouse; fwd=stale; fwd-status=304; stored');
    expect(statusOf(get(stage).entered as Answer)).toBe('gatehouse; hit; ttl=20');
  });

  it('answers a client by its own condition after a 304', () => {
    const stage = compile();
    stale(stage);
    const { exchange } = get(stage, 'if-none-match', '"a"');
    expect(exchange.validators).toContain('"a"');
    expect(reply(exchange, MAX_AGE, 304, '')).toMatchObject({ status: 304 });
  });

  it('passes the 304 that the client has asked for itself', () => {
    const { exchange } = get(compile(), 'if-none-match', '"x"');
    expect(exchange.validators).toBeUndefined();
    expect(reply(exchange, [], 304, '')).toBeUndefined();
  });

  it.each([
    ['no-store', ['cache-control', 'no-store']],
    ['private', ['cache-control', 'private']],
    ['a cookie', ['set-cookie', 'a=1']],
  ])('is kept no more after a 304 with %s, and answers this client', (_, news) => {
    const stage = compile();
    const { exchange } = stale(stage);
    expect(reply(exchange, news, 304, '')).toMatchObject({ status: 200, body: Buffer.from(BODY) });
    expect(get(stage).exchange.validators).toBeUndefined();
  });

  it('is replaced by a new answer, and lost to one that may not be kept', () => {
    const stage = compile();
    reply(stale(stage).exchange, MAX_AGE, 200, 'new');
    expect(get(stage).entered).toMatchObject({ body: Buffer.from('new') });
    jest.advanceTimersByTime(10_000);
    reply(get(stage).exchange, ['cache-control', 'no-store']);
    expect(get(stage, 'cache-control', 'max-stale').entered).toBeUndefined();
  });

  it('is asked about each time that says no-cache', () => {
    const stage = compile();
    store(stage, ['cache-control', 'no-cache', 'etag', '"a"']);
    expect(get(stage).exchange.validators).toEqual(['if-none-match', '"a"']);
  });

  it.each<[string, object, string, number, boolean]>([
    ['its own time', {}, 'max-age=10, stale-if-error=5', 14, true],
    ['its own time, which is over', { staleIfError: '1h' }, 'max-age=10, stale-if-error=5', 15, false],
    ['that of the route', { staleIfError: '5s' }, 'max-age=10', 14, true],
    ['nothing', {}, 'max-age=10', 11, false],
  ])('may be covered by %s', (_, options, control, seconds, isCovered) => {
    const stage = compile(options);
    store(stage, ['cache-control', control]);
    jest.advanceTimersByTime(seconds * 1000);
    expect(stage.standIn?.(get(stage).exchange) !== undefined).toBe(isCovered);
  });

  it('may be covered for as long as the client says', () => {
    const stage = compile();
    store(stage, [...MAX_AGE, 'etag', '"a"']);
    jest.advanceTimersByTime(15_000);
    const standIn = (seconds: number) => {
      const { exchange } = get(stage, 'cache-control', `stale-if-error=${seconds}`);
      const answer = stage.standIn?.(exchange);
      exchange.close();
      return answer;
    };
    expect([standIn(5), standIn(6)]).toEqual([undefined, expect.objectContaining({ status: 200 })]);
  });
});

describe('what an answer says', () => {
  it.each<[string, string[], string | undefined]>([
    ['a targeted field', ['gatehouse-cache-control', 'max-age=60', 'cache-control', 'no-store'], '60'],
    ['the first of two', ['cdn-cache-control', 'max-age=9', 'gatehouse-cache-control', 'max-age=60'], '60'],
    ['one that says nothing', ['gatehouse-cache-control', '', 'cache-control', 'max-age=5'], '5'],
    ['one that cannot be read', ['cdn-cache-control', 'MAX-AGE=9', 'cache-control', 'max-age=5'], '5'],
    ['one with a broken member', ['cdn-cache-control', 'max-age=9, &', 'cache-control', 'max-age=5'], '5'],
    ['one of the wrong type', ['cdn-cache-control', 'max-age="9"', 'cache-control', 'max-age=5'], '5'],
    ['one with parameters', ['cdn-cache-control', 'max-age=9;a="x,y", b', 'cache-control', 'no-store'], '9'],
    ['one that forbids', ['cdn-cache-control', 'no-store', 'cache-control', 'max-age=5'], undefined],
    ['one beside Expires', ['cdn-cache-control', 'public', 'expires', '0'], '10'],
  ])('counts by %s', (_, headers, seconds) => {
    const stage = compile();
    store(stage, headers);
    const said = statusOf(get(stage).entered as Answer | undefined);
    expect(said?.split('ttl=')[1]).toBe(seconds);
  });

  it.each([
    [404, 3],
    [410, 3],
    [501, 3],
    [200, 10],
    [301, 10],
  ])('lets %i be fresh for %i seconds where it does not say', (status, seconds) => {
    const stage = compile({ negativeTtl: '3s' });
    reply(get(stage).exchange, [], status);
    jest.advanceTimersByTime(seconds * 1000 - 1);
    expect(get(stage).entered).toMatchObject({ status });
    jest.advanceTimersByTime(1);
    expect(get(stage).entered).toBeUndefined();
  });

  it('keeps 404 for ten seconds at most, and never a stream of events', () => {
    const stage = compile({ ttl: '1h' });
    reply(get(stage).exchange, [], 404);
    jest.advanceTimersByTime(10_000);
    const { entered, exchange } = get(stage);
    expect(entered).toBeUndefined();
    reply(exchange, ['content-type', 'Text/Event-Stream']);
    expect(get(stage).entered).toBeUndefined();
  });

  it('is as old as it took to come', () => {
    const stage = compile();
    const { exchange } = get(stage);
    jest.advanceTimersByTime(4000);
    reply(exchange, ['cache-control', 'max-age=10', 'age', '1']);
    expect(statusOf(get(stage).entered as Answer)).toBe('gatehouse; hit; ttl=5');
    expect(fieldOf((get(stage).entered as Answer).headers, 'age')).toBe('5');
  });

  it.each<[string, string, boolean]>([
    ['the same', 'a,b', true],
    ['space', 'a , b', true],
    ['several lines', '\n', true],
    ['another order', 'b, a', false],
  ])('with Vary takes %s for the same: %s', (_, value, isSame) => {
    const stage = compile({ ignoreHeaders: ['x-v'] });
    const lines = (text: string) => ['x-v', text];
    const first = lines('a,b');
    store(stage, [...MAX_AGE, 'vary', 'X-V'], { headers: first });
    const headers = value === '\n' ? [...lines('a'), ...lines('b')] : lines(value);
    expect(get(stage, ...headers).entered !== undefined).toBe(isSame);
  });

  it.each(['authorization', 'Cookie'])('can never have %s ignored', (name) => {
    expect(() => compile({ ignoreHeaders: [name] })).toThrow('a credential is never ignored');
  });

  it('is no longer found once its tag was purged, and stale after a soft purge', async () => {
    const { AnswerStore } = await import('./answer-store.ts');
    const answers = new AnswerStore();
    factory = new CacheStageFactory(answers);
    const stage = compile();
    const tagged = (target: string, tag: string) =>
      store(stage, [...MAX_AGE, 'etag', '"a"', 'cache-tag', tag], { target });
    tagged('/a', 'one, two');
    tagged('/b', 'two');
    tagged('/c', 'three');
    answers.purge({ by: 'tag', value: 'one' });
    answers.purge({ by: 'tag', value: 'three', soft: true });
    expect(ask(stage, { target: '/a' }).exchange.validators).toBeUndefined();
    expect(ask(stage, { target: '/b' }).entered).toBeDefined();
    expect(ask(stage, { target: '/c' }).exchange.validators).toEqual(['if-none-match', '"a"']);
    // What is under way when its tag is purged may show how it was before.
    const { exchange } = ask(stage, { target: '/d' });
    answers.purge({ by: 'tag', value: 'four' });
    reply(exchange, [...MAX_AGE, 'surrogate-key', 'four']);
    expect(ask(stage, { target: '/d' }).entered).toBeUndefined();
  });
});

/** The order of directives, their case, space and lines say nothing. */
describe('how an answer is written', () => {
  const random = (seed: number) => () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const DIRECTIVES = [
    'max-age=30',
    's-maxage=20',
    'public',
    'must-revalidate',
    'no-cache',
    'no-store',
    'x="a, b"',
  ];

  it('does not change what becomes of it', () => {
    const next = random(20_261_122);
    for (let run = 0; run < 300; run += 1) {
      const chosen = DIRECTIVES.filter(() => next() < 0.4);
      const plain = ['cache-control', chosen.join(', ')];
      const shuffled = chosen
        .map(
          (text) =>
            [
              next(),
              text.replaceAll(/^[a-z-]+/g, (name) => (next() < 0.5 ? name : name.toUpperCase())),
            ] as const,
        )
        .sort(([one], [other]) => one - other)
        .map(([, text]) => text);
      const odd = shuffled.flatMap((text) => ['Cache-Control', next() < 0.5 ? `${text} ,` : `\t, ${text}`]);
      const fate = (headers: readonly string[]) => {
        factory = new CacheStageFactory();
        const stage = compile({ collapse: 'off' });
        store(stage, [...headers, 'etag', '"a"']);
        const { entered, exchange } = get(stage);
        return [statusOf(entered as Answer | undefined), exchange.validators];
      };
      expect([chosen, fate(odd)]).toEqual([chosen, fate(plain)]);
    }
  });
});

/** Whatever two callers send: what was made for one is never given to the other. */
describe('two principals', () => {
  it('never get what was made for the other, however they ask', () => {
    const next = (() => {
      let seed = 7;
      return (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    })();
    const pick = <T>(...from: T[]): T => from[Math.floor(next() * from.length)] as T;
    const stages = [compile({ scope: 'principal', ignoreHeaders: ['x-a'] }), compile({ scope: 'public' })];
    const callers = [
      createPrincipal('ann'),
      createPrincipal('bob'),
      createPrincipal('ann', { issuer: 'other' }),
      createPrincipal('ann', { scheme: 'apiKey' }),
      createPrincipal('ann', { tenant: 't' }),
    ];
    for (let run = 0; run < 3000; run += 1) {
      const who = Math.floor(next() * callers.length);
      const headers = [
        ...pick([], ['Authorization', `Bearer ${pick(who, 0)}`]),
        ...pick([], ['cookie', 'a=1'], ['COOKIE', 'a=1; b=2']),
        ...pick([], ['x-a', '1'], ['X-A', '2'], ['x-user-id', 'ann'], ['accept', 'a/b'], ['accept', 'c/d']),
        ...pick([], [], ['if-none-match', '"a"'], ['range', 'bytes=0-3'], ['cache-control', 'max-stale']),
      ];
      const target = pick('/a', '/a?x=1&y=2', '/a?y=2&x=1', '/A', '/a?');
      const stage = stages[run % 2] as Cache;
      const principal = callers[who] as NonNullable<TestRequest['principal']>;
      const exchange = createExchange({ target, headers, principal });
      const body = `for ${who} at ${target}`;
      const entered = enter(stage, exchange);
      if (entered instanceof Promise) throw new Error('nobody is under way');
      if (entered !== undefined) {
        const whole = Buffer.from(body);
        const given = entered.body.length === 4 ? whole.subarray(0, 4) : entered.status === 304 ? '' : whole;
        expect(entered.body.toString()).toBe(given.toString());
        continue;
      }
      const control = pick(
        'max-age=60',
        'private, max-age=60',
        'no-cache',
        'max-age=0',
        'must-revalidate, max-age=9',
      );
      reply(
        exchange,
        ['cache-control', control, 'etag', `"${who}"`, ...pick([], ['vary', 'accept'], ['vary', 'X-A'])],
        200,
        body,
      );
      exchange.close();
    }
  });
});

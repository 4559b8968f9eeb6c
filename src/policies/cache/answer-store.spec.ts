import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import { AnswerStore, uriOf, type AnswerKey, type Entry } from './answer-store.ts';

const key = (uri: string, caller = 'c'): AnswerKey => ({ uri, caller });

const entry = (bytes: number, livesMs = 60_000): Entry => ({
  answer: { status: 200, headers: [], body: Buffer.alloc(bytes) },
  lines: undefined,
  vary: [],
  variant: '',
  storedAt: Date.now(),
  freshUntil: Date.now() + livesMs,
  mayBeStale: true,
  revalidateUntil: Date.now() + livesMs,
  standInUntil: Date.now() + livesMs,
  keptUntil: Date.now() + livesMs,
  mustValidate: false,
  isImmutable: false,
  validators: [],
  tags: [],
});

const noVariant = () => '';

describe('AnswerStore', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('gives back what it was given', () => {
    const store = new AnswerStore();
    const one = entry(10);
    store.set(key('a'), one);
    expect([store.get(key('a'), noVariant), store.get(key('b'), noVariant)]).toEqual([one, undefined]);
    expect(store.get(key('a', 'other'), noVariant)).toBeUndefined();
  });

  it('holds no more bytes than it may, and lets go of what was used longest ago', () => {
    const store = new AnswerStore(10_000);
    for (const uri of ['a', 'b', 'c']) store.set(key(uri), entry(2500));
    expect(store.get(key('a'), noVariant)).toBeDefined();
    store.set(key('d'), entry(2500));
    expect(['a', 'b', 'c', 'd'].filter((uri) => store.get(key(uri), noVariant) !== undefined)).toEqual([
      'a',
      'c',
      'd',
    ]);
  });

  it('counts an entry once, however often it is replaced', () => {
    const store = new AnswerStore(10_000);
    store.set(key('a'), entry(2500));
    for (let i = 0; i < 20; i += 1) store.set(key('b'), entry(4000));
    expect(store.get(key('a'), noVariant)).toBeDefined();
  });

  it('keeps what was used last when it may hold less, and goes on with more', () => {
    const store = new AnswerStore(10_000);
    for (const uri of ['a', 'b', 'c']) store.set(key(uri), entry(2500));
    store.get(key('a'), noVariant);
    store.resize(6500);
    const left = ['a', 'b', 'c'].filter((uri) => store.get(key(uri), noVariant) !== undefined);
    expect(left).toEqual(['a', 'c']);
    expect([store.invalidate('b'), store.invalidate('c')]).toEqual([0, 1]);
    store.resize(20_000);
    store.set(key('d'), entry(12_000));
    expect(store.get(key('a'), noVariant)).toBeDefined();
    store.resize(1000);
    expect([store.usage.keys, store.invalidate('d')]).toEqual([0, 0]);
  });

  it('gives up everything, and what is under way', () => {
    const store = new AnswerStore();
    store.set(key('a'), entry(10));
    const mark = store.mark();
    store.clear();
    expect([store.usage, store.isUnchanged('b', mark, [])]).toEqual([{ bytes: 0, keys: 0 }, false]);
  });

  it('takes small entries for more than nothing', () => {
    const store = new AnswerStore(10_000);
    for (let i = 0; i < 1000; i += 1) store.set(key(`key-${i}`), entry(0));
    const kept = Array.from({ length: 1000 }, (_, i) => store.get(key(`key-${i}`), noVariant)).filter(
      (one) => one !== undefined,
    );
    expect(kept.length).toBeLessThan(20);
    expect(kept.length).toBeGreaterThan(10);
  });

  it('does not take what alone is too large, nor keep what it would have replaced', () => {
    const store = new AnswerStore(1000);
    store.set(key('a'), entry(10));
    store.set(key('a'), entry(1000));
    expect(store.get(key('a'), noVariant)).toBeUndefined();
    store.set(key('b'), entry(10));
    expect(store.get(key('b'), noVariant)).toBeDefined();
  });

  it('forgets what may not even be used stale', () => {
    jest.useFakeTimers();
    const store = new AnswerStore(2000);
    store.set(key('a'), entry(1000, 5000));
    jest.advanceTimersByTime(4999);
    expect(store.get(key('a'), noVariant)).toBeDefined();
    jest.advanceTimersByTime(1);
    expect(store.get(key('a'), noVariant)).toBeUndefined();
    store.set(key('b'), entry(1000));
    store.set(key('c'), entry(10));
    expect(store.get(key('c'), noVariant)).toBeDefined();
  });

  it('counts the header fields of an answer, which an upstream can make large', () => {
    const store = new AnswerStore(10_000);
    const large = entry(0);
    const headers = ['x-large', 'x'.repeat(9000)];
    for (const uri of ['a', 'b']) store.set(key(uri), { ...large, answer: { ...large.answer, headers } });
    expect(
      [store.get(key('a'), noVariant), store.get(key('b'), noVariant)].filter((one) => one !== undefined),
    ).toHaveLength(1);
  });

  it('lets go of every answer of a URI that was changed, and of no other', () => {
    const store = new AnswerStore();
    for (const caller of ['ann', 'bob']) store.set(key('h/a', caller), entry(1));
    store.set(key('h/b'), entry(1));
    const before = store.mark();
    store.invalidate('h/a');
    expect(['ann', 'bob'].map((caller) => store.get(key('h/a', caller), noVariant))).toEqual([
      undefined,
      undefined,
    ]);
    expect(store.get(key('h/b'), noVariant)).toBeDefined();
    expect(store.isUnchanged('h/a', before, [])).toBe(false);
  });

  it.each([
    ['GET', 200, false],
    ['HEAD', 200, false],
    ['OPTIONS', 204, false],
    ['POST', 200, true],
    ['PUT', 204, true],
    ['DELETE', 303, true],
    ['M-SEARCH', 200, true],
    ['POST', 400, false],
    ['POST', 503, false],
  ])('takes %s answered with %i for a change: %s', (method, status, isChange) => {
    const store = new AnswerStore();
    store.isUsed = true;
    const exchange = createExchange({ method, target: '/a?b' });
    store.set(key(uriOf(exchange)), entry(1));
    store.watch(exchange);
    exchange.outdates?.answered(exchange, status, []);
    expect(store.get(key('localhost/a?b'), noVariant) === undefined).toBe(isChange);
  });

  it('watches nobody while no route keeps answers', () => {
    const exchange = createExchange({ method: 'POST' });
    new AnswerStore().watch(exchange);
    expect(exchange.outdates).toBeUndefined();
  });
});

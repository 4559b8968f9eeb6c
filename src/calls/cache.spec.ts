import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Problem } from '../problems/problem.ts';
import { BOB, problemOf, until } from '../upstreams/grpc/call.fixture.ts';
import { ADA, contextOf, ThingsBed, thingSchema, type Thing } from './calls.fixture.ts';
import type { CacheOptions } from './call-plan.ts';
import { httpUpstream } from './http-upstream.ts';

const things = httpUpstream('things');
const declare = (cache: Partial<CacheOptions> = {}) =>
  things.get<{ id: string }, Thing>('things.kept', '/things/{id}', {
    decode: thingSchema,
    cache: { ttl: '10s', scope: 'principal', ...cache },
  });
const named = (name: string) => ({ id: '1', name });

describe('calls whose values are kept across requests', () => {
  let bed: ThingsBed;

  beforeEach(async () => {
    bed = await ThingsBed.start();
  });
  afterEach(() => bed.stop());

  it('ask once while the value is fresh, and say how fresh it is', async () => {
    const call = declare();
    const [first, second] = [contextOf(), contextOf()];
    await bed.caller.call(call, { id: '1' }, first);
    bed.time.nowMs += 9_999;
    expect(await bed.caller.call(call, { id: '1' }, second)).toEqual(named('thing 1'));
    expect(bed.asked()).toHaveLength(1);
    const part = { call: 'things.kept', scope: 'principal' };
    expect(first.parts).toEqual([{ ...part, source: 'upstream', ageMs: 0, freshForMs: 10_000 }]);
    expect(second.parts).toEqual([{ ...part, source: 'cache', ageMs: 9_999, freshForMs: 1 }]);
    expect([second.exchange.attempts, second.exchange.upstream]).toEqual([[], undefined]);
    bed.time.nowMs += 1;
    await bed.caller.call(call, { id: '1' }, contextOf());
    expect(bed.asked()).toHaveLength(1);
  });

  it('are kept apart by principal, unless they are public', async () => {
    for (const [scope, requests] of [
      ['principal', 4],
      ['public', 1],
    ] as const) {
      const call = declare({ scope });
      for (const who of [
        BOB,
        ADA,
        { ...BOB, roles: ['admin'] },
        { ...BOB, scheme: 'apiKey' as const },
        BOB,
      ]) {
        await bed.caller.call(call, { id: '1' }, contextOf(who));
      }
      expect(bed.asked()).toHaveLength(requests);
    }
  });

  it('share the run in flight, and keep its value when the one that started it has left', async () => {
    const call = declare();
    bed.hold();
    const leader = contextOf();
    const first = problemOf(bed.caller.call(call, { id: '1' }, leader));
    const second = bed.caller.call(call, { id: '1' }, contextOf());
    await bed.holds(1);
    leader.exchange.cancel(new Problem('client-closed'));
    bed.held[0]?.end(JSON.stringify(named('one')));
    expect([await first, await second]).toEqual(['client-closed', named('one')]);
    expect(await bed.caller.call(call, { id: '1' }, contextOf())).toEqual(named('one'));
    expect(bed.asked()).toHaveLength(1);
  });

  it('serve a stale value at once while one run reads a new one', async () => {
    const call = declare({ staleWhileRevalidate: '5s' });
    await bed.caller.call(call, { id: '1' }, contextOf());
    bed.hold();
    bed.time.nowMs += 12_000;
    const contexts = Array.from({ length: 10 }, () => contextOf());
    const values = await Promise.all(contexts.map((context) => bed.caller.call(call, { id: '1' }, context)));
    expect(new Set(values.map(({ name }) => name))).toEqual(new Set(['thing 1']));
    expect(contexts[0]?.parts).toMatchObject([{ source: 'stale', ageMs: 12_000, freshForMs: 0 }]);
    await bed.holds(1);
    // Nobody waits for the refresh; that those who caused it are gone does not end it.
    for (const { exchange } of contexts) exchange.cancel(new Problem('client-closed'));
    bed.held[0]?.end(JSON.stringify(named('new')));
    await until(() => bed.held[0]?.writableFinished === true);
    let name = '';
    while (name !== 'new') ({ name } = await bed.caller.call(call, { id: '1' }, contextOf()));
    expect([bed.asked().length, bed.held.length, bed.aborted]).toEqual([2, 1, 0]);
  });

  it('read on for the cache when one who joined the refresh leaves', async () => {
    const call = declare({ staleWhileRevalidate: '5s' });
    await bed.caller.call(call, { id: '1' }, contextOf());
    bed.hold();
    bed.time.nowMs += 12_000;
    await bed.caller.call(call, { id: '1' }, contextOf());
    await bed.holds(1);
    bed.time.nowMs += 12_000;
    const late = contextOf();
    const outcome = problemOf(bed.caller.call(call, { id: '1' }, late));
    late.exchange.cancel(new Problem('client-closed'));
    expect(await outcome).toBe('client-closed');
    const another = bed.caller.call(call, { id: '1' }, contextOf());
    bed.held[0]?.end(JSON.stringify(named('new')));
    expect([await another, bed.aborted, bed.asked().length]).toEqual([named('new'), 0, 2]);
  });

  it('wait for a new value when the old one is too old to be shown', async () => {
    const call = declare({ staleWhileRevalidate: '5s', staleIfError: '60s' });
    await bed.caller.call(call, { id: '1' }, contextOf());
    bed.answer(200, named('new'));
    bed.time.nowMs += 15_000;
    expect(await bed.caller.call(call, { id: '1' }, contextOf())).toEqual(named('new'));
  });

  it('keep serving the stale value when its refresh fails', async () => {
    const call = declare({ staleWhileRevalidate: '5s' });
    await bed.caller.call(call, { id: '1' }, contextOf());
    bed.answer(500);
    bed.time.nowMs += 12_000;
    for (const round of [2, 3]) {
      expect(await bed.caller.call(call, { id: '1' }, contextOf())).toEqual(named('thing 1'));
      await until(() => bed.upstream.requests.length === round);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  it.each([
    ['answers 500', (one: ThingsBed) => one.answer(500), 'upstream-rejected'],
    ['answers 503', (one: ThingsBed) => one.answer(503), 'upstream-rejected'],
    ['answers garbage', (one: ThingsBed) => one.answer(200, []), 'upstream-response-invalid'],
    ['is too slow', (one: ThingsBed) => one.hold(), 'upstream-timeout'],
    ['is dead', (one: ThingsBed) => one.upstream.stop(), 'upstream-unreachable'],
  ])('stand in for a while when the upstream %s', async (_, harm, code) => {
    const call = declare({ staleIfError: '60s' });
    await bed.caller.call(call, { id: '1' }, contextOf());
    await harm(bed);
    bed.time.nowMs += 69_999;
    const context = contextOf(BOB, 100);
    expect(await bed.caller.call(call, { id: '1' }, context)).toEqual(named('thing 1'));
    expect(context.parts).toMatchObject([{ source: 'stale', code, freshForMs: 0 }]);
    bed.time.nowMs += 1;
    expect(await problemOf(bed.caller.call(call, { id: '1' }, contextOf(BOB, 100)))).toBe(code);
  });

  it.each([
    [403, 'upstream-rejected'],
    [410, 'upstream-rejected'],
    [404, 'resource-not-found'],
  ])('do not hide news such as %i behind a stale value, and drop it', async (status, code) => {
    const call = declare({ staleIfError: '60s' });
    await bed.caller.call(call, { id: '1' }, contextOf());
    bed.answer(status);
    bed.time.nowMs += 11_000;
    expect(await problemOf(bed.caller.call(call, { id: '1' }, contextOf()))).toBe(code);
    bed.answer(500);
    expect(await problemOf(bed.caller.call(call, { id: '1' }, contextOf()))).toBe('upstream-rejected');
  });

  it('never keep a problem', async () => {
    const call = declare();
    bed.answer(404);
    expect(await problemOf(bed.caller.call(call, { id: '1' }, contextOf()))).toBe('resource-not-found');
    bed.answerThings();
    expect(await bed.caller.call(call, { id: '1' }, contextOf())).toEqual(named('thing 1'));
  });

  it('are bounded in number', async () => {
    const call = declare({ maxEntries: 2 });
    for (const id of ['1', '2', '3', '3', '2', '1']) await bed.caller.call(call, { id }, contextOf());
    expect(bed.asked()).toEqual(['/things/1', '/things/2', '/things/3', '/things/1']);
  });

  it('are bounded in memory', async () => {
    const call = declare({ maxBytes: 3000 });
    bed.answer(200, named('x'.repeat(2000)));
    await bed.caller.call(call, { id: '1' }, contextOf());
    await bed.caller.call(call, { id: '1' }, contextOf());
    expect(bed.asked()).toHaveLength(2);
  });

  it('are read again when they were declared void, also by a run that had begun before', async () => {
    const call = declare();
    bed.hold();
    const old = bed.caller.call(call, { id: '1' }, contextOf());
    await bed.holds(1);
    bed.caller.invalidate(call);
    bed.held[0]?.end(JSON.stringify(named('old')));
    expect(await old).toEqual(named('old'));
    bed.answerThings();
    expect(await bed.caller.call(call, { id: '1' }, contextOf())).toEqual(named('thing 1'));
  });

  it('stand in for one whose time is up when they travel together too', async () => {
    const call = things.get<{ id: string }, Thing>('things.many', '/things/{id}', {
      decode: thingSchema,
      cache: { ttl: '10s', staleIfError: '60s', scope: 'principal' },
      batch: { path: '/things', ids: 'ids', max: 50, list: 'items', key: ({ id }) => id },
    });
    const both = (timeoutMs: number) => {
      const { exchange } = contextOf();
      return Promise.all(['1', '2'].map((id) => bed.caller.call(call, { id }, { exchange, timeoutMs })));
    };
    const values = await both(Infinity);
    bed.hold();
    bed.time.nowMs += 10_000;
    expect(await both(50)).toEqual(values);
    await until(() => bed.aborted === 1);
  });

  it('are kept per id when they travel together', async () => {
    const call = things.get<{ id: string }, Thing>('things.many', '/things/{id}', {
      decode: thingSchema,
      cache: { ttl: '10s', scope: 'public' },
      batch: { path: '/things', ids: 'ids', max: 50, list: 'items', key: ({ id }) => id },
    });
    const all = (ids: readonly string[]) => {
      const { exchange } = contextOf();
      return Promise.all(ids.map((id) => bed.caller.call(call, { id }, { exchange, timeoutMs: Infinity })));
    };
    await all(['1', '2', '3']);
    expect((await all(['2', '3', '4', '5'])).map(({ name }) => name)).toEqual(
      ['2', '3', '4', '5'].map((id) => `thing ${id}`),
    );
    expect(bed.asked()).toEqual(['/things?ids=1,2,3', '/things?ids=4,5']);
  });
});

describe('calls with a fallback', () => {
  let bed: ThingsBed;

  beforeEach(async () => {
    bed = await ThingsBed.start();
  });
  afterEach(() => bed.stop());

  const call = things.get<{ id: string }, Thing>('things.safe', '/things/{id}', {
    decode: thingSchema,
    fallback: ({ code }) => ({ id: '', name: code }),
  });

  it('are served by it when the upstream is at fault, and say so', async () => {
    const context = contextOf();
    bed.answer(503);
    expect(await bed.caller.call(call, { id: '1' }, context)).toEqual({ id: '', name: 'upstream-rejected' });
    expect(context.parts).toMatchObject([{ source: 'fallback', freshForMs: 0, code: 'upstream-rejected' }]);
  });

  it('are not when the answer is no, or when nobody is there to read it', async () => {
    expect(await problemOf(bed.caller.call(call, { id: 'x' }, contextOf()))).toBe('resource-not-found');
    bed.hold();
    const context = contextOf();
    const outcome = problemOf(bed.caller.call(call, { id: '1' }, context));
    await bed.holds(1);
    context.exchange.cancel(new Problem('client-closed'));
    expect(await outcome).toBe('client-closed');
    expect(context.parts).toEqual([]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CallLog } from './call-log.ts';
import { contextOf, ThingsBed, thingSchema, type TestContext, type Thing } from './calls.fixture.ts';
import { httpUpstream } from './http-upstream.ts';
import { followCalls } from './reuse/call-memory.ts';

const things = httpUpstream('things');
type Input = { readonly id: string };
const path = '/things/{id}';
const decode = thingSchema;
const getPlain = things.get<Input, Thing>('things.plain', path, { decode });
const getMemo = things.get<Input, Thing>('things.memo', path, { decode, memo: true });
const getShared = things.get<Input, Thing>('things.shared', path, { decode, share: true });
const getCached = things.get<Input, Thing>('things.cached', path, {
  decode,
  cache: { ttl: '1m', scope: 'public', staleIfError: '1m' },
});
const getBatched = things.get<Input, Thing>('things.batched', path, {
  decode,
  batch: { path: '/things', ids: 'ids', max: 10, key: ({ id }) => id, list: 'items' },
});
const getSafe = things.get<Input, Thing>('things.safe', path, {
  decode,
  fallback: () => ({ id: '0', name: 'stand-in' }),
});

describe('a log of the calls of an exchange', () => {
  let bed: ThingsBed;
  let context: TestContext;
  let log: CallLog;
  beforeAll(async () => {
    bed = await ThingsBed.start();
  });
  afterAll(() => bed.stop());
  beforeEach(() => {
    bed.answerThings();
    context = contextOf();
    followCalls(context.exchange, (log = new CallLog(() => 'here')));
  });

  const told = (): unknown[] =>
    log.records.map(({ call, source, outcome, attempts }) => [
      call,
      source,
      outcome,
      attempts.map((one) => one.outcome).join(),
    ]);

  it('tells a plain call with its attempts, who made it and where', async () => {
    await bed.caller.call(getPlain, { id: '1' }, { ...context, by: { place: 'Page.thing' } });
    await bed.caller.call(getPlain, { id: 'x' }, context).catch(() => undefined);
    expect(told()).toEqual([
      ['things.plain', 'upstream', 'ok', '200'],
      ['things.plain', 'upstream', 'resource-not-found', '404'],
    ]);
    expect(log.records[0]).toMatchObject({
      upstream: 'things',
      by: 'Page.thing',
      place: 'here',
      kept: false,
    });
    expect(log.records[0]?.durationMs).toBeGreaterThan(0);
  });

  it('tells a call that finds the run of an equal one, of this exchange or another', async () => {
    const twice = [1, 2].map(() => bed.caller.call(getMemo, { id: '1' }, context));
    await Promise.all(twice);
    expect(told()).toEqual([
      ['things.memo', 'upstream', 'ok', '200'],
      ['things.memo', 'memo', 'ok', ''],
    ]);
    bed.hold();
    const first = bed.caller.call(getShared, { id: '2' }, contextOf());
    await bed.holds(1);
    const second = bed.caller.call(getShared, { id: '2' }, context);
    expect(told().at(-1)).toEqual(['things.shared', 'shared', undefined, '']);
    bed.release();
    await Promise.all([first, second]);
    expect(told().at(-1)).toEqual(['things.shared', 'shared', 'ok', '']);
  });

  it('tells which calls one request was made for', async () => {
    const ids = ['1', '2', '3'];
    await Promise.all(ids.map((id) => bed.caller.call(getBatched, { id }, context)));
    expect(told()).toEqual([
      ['things.batched', 'batch', 'ok', '200'],
      ['things.batched', 'batch', 'ok', ''],
      ['things.batched', 'batch', 'ok', ''],
    ]);
    await bed.caller.call(getBatched, { id: '4' }, context);
    expect(told().at(-1)).toEqual(['things.batched', 'upstream', 'ok', '200']);
  });

  it('tells what was kept, what is stale and what stands in', async () => {
    await bed.caller.call(getCached, { id: '1' }, context);
    await bed.caller.call(getCached, { id: '1' }, context);
    bed.time.nowMs += 61_000;
    bed.answer(503);
    await bed.caller.call(getCached, { id: '1' }, context);
    await bed.caller.call(getSafe, { id: '1' }, context);
    expect(told()).toEqual([
      ['things.cached', 'upstream', 'ok', '200'],
      ['things.cached', 'cache', 'ok', ''],
      ['things.cached', 'stale', 'ok', '503'],
      ['things.safe', 'fallback', 'ok', '503'],
    ]);
    expect(log.records.map(({ kept }) => kept)).toEqual([true, true, true, false]);
    expect(context.parts.map(({ source }) => source)).toEqual(['upstream', 'cache', 'stale', 'fallback']);
  });

  it('keeps no more than it is told to, and counts the others', async () => {
    followCalls(context.exchange, (log = new CallLog(undefined, 2)));
    for (const id of ['1', '2', '3', '4']) await bed.caller.call(getPlain, { id }, context);
    expect([log.records.map(({ outcome }) => outcome), log.more.calls]).toEqual([['ok', 'ok'], 2]);
  });

  it('hears nothing of other exchanges', async () => {
    await bed.caller.call(getPlain, { id: '1' }, contextOf());
    await bed.caller.call(getMemo, { id: '1' }, contextOf());
    expect(log.records).toEqual([]);
  });
});

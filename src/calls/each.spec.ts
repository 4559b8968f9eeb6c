import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Problem } from '../problems/problem.ts';
import { exchangeFor, until } from '../upstreams/grpc/call.fixture.ts';
import { contextOf, ThingsBed, thingSchema, type Thing } from './calls.fixture.ts';
import { httpUpstream } from './http-upstream.ts';

const things = httpUpstream('things');
const getThing = things.get<{ id: string }, Thing>('things.get', '/things/{id}', { decode: thingSchema });
const getOneByOne = things.get<{ id: string }, Thing>('things.each', '/things/{id}', {
  decode: thingSchema,
  each: { concurrency: 2 },
});
const putThing = things.put<{ id: string }, Thing>('things.put', '/things/{id}', { decode: thingSchema });
const getBatched = things.get<{ id: string }, Thing>('things.batched', '/things/{id}', {
  decode: thingSchema,
  batch: { path: '/things', ids: 'ids', max: 50, list: 'items', key: ({ id }) => id },
});
const inputs = (...ids: string[]) => ids.map((id) => ({ id }));
const names = (results: readonly (Thing | Problem)[]) =>
  results.map((result) => (result instanceof Problem ? result.code : result.name));

describe('each', () => {
  let bed: ThingsBed;
  beforeAll(async () => {
    bed = await ThingsBed.start();
  });
  beforeEach(() => {
    bed.answerThings();
    bed.asked();
  });
  afterAll(() => bed.stop());

  it('answers in the order of the inputs, each a value or its problem, duplicates once', async () => {
    const results = await bed.caller.each(getThing, inputs('3', 'x', '1', '3', '..'), contextOf());
    expect(names(results)).toEqual([
      'thing 3',
      'resource-not-found',
      'thing 1',
      'thing 3',
      'request-invalid',
    ]);
    expect(bed.asked().sort()).toEqual(['/things/1', '/things/3', '/things/x']);
  });

  it.each([
    [3, { concurrency: 3 }],
    [8, undefined],
  ])('makes %i calls at a time for the options %j', async (count, options) => {
    bed.hold();
    const many = Array.from({ length: 30 }, (_, id) => ({ id: String(id) }));
    const results = bed.caller.each(getThing, many, contextOf(), options);
    await bed.holdsOnly(count);
    bed.release();
    expect(names(await results)).toEqual(many.map(({ id }) => `thing ${id}`));
    expect(bed.asked()).toHaveLength(30);
  });

  it('does not hold back calls that travel together', async () => {
    const many = Array.from({ length: 30 }, (_, id) => ({ id: String(id) }));
    expect(names(await bed.caller.each(getBatched, many, contextOf()))).toEqual(
      many.map(({ id }) => `thing ${id}`),
    );
    expect(bed.asked()).toHaveLength(1);
  });

  it('takes equal inputs of a call that changes something as that many calls', async () => {
    await bed.caller.each(putThing, inputs('1', '1'), contextOf());
    expect(bed.asked()).toEqual(['/things/1', '/things/1']);
  });

  it('answers nothing for nothing', async () => {
    expect(await bed.caller.each(getThing, [], contextOf())).toEqual([]);
  });

  it('ends all when the exchange ends, and asks no more', async () => {
    bed.hold();
    const context = contextOf();
    const results = bed.caller.each(getThing, inputs('1', '2', '3'), context, { concurrency: 2 });
    await bed.holds(2);
    context.exchange.cancel(new Problem('client-closed'));
    expect(names(await results)).toEqual(['client-closed', 'client-closed', 'client-closed']);
    await until(() => bed.aborted === 2);
    expect(bed.asked()).toHaveLength(2);
  });

  it('bounds a call that was declared so per exchange, wherever it is made', async () => {
    bed.hold();
    const contexts = [contextOf(), contextOf()];
    const calls = contexts.flatMap((context) =>
      inputs('1', '2', '3', '4', '1').map((input) => bed.caller.call(getOneByOne, input, context)),
    );
    await bed.holdsOnly(2 * contexts.length);
    bed.release();
    await Promise.all(calls);
    expect(bed.asked()).toHaveLength(8);
  });

  it('bounds public calls per exchange as well, so that nobody waits for somebody else', async () => {
    const call = things.get<{ id: string }, Thing>('things.open', '/things/{id}', {
      decode: thingSchema,
      each: { concurrency: 2 },
      share: 'public',
    });
    const [first, second] = [contextOf(), contextOf()];
    bed.hold();
    const calls = ['1', '2', '3', '4', '5', '6'].map((id, index) =>
      bed.caller.call(call, { id }, index < 3 ? first : second),
    );
    await bed.holdsOnly(4);
    bed.release();
    await Promise.all(calls);
    expect(bed.asked()).toHaveLength(6);
  });

  it('lets nobody in before a place is free, also after turns were passed on', async () => {
    bed.hold();
    const context = contextOf();
    const calls = ['1', '2', '3', '4'].map((id) => bed.caller.call(getOneByOne, { id }, context));
    await bed.holdsOnly(2);
    const [first] = bed.held;
    first?.end(JSON.stringify({ id: '1', name: 'x' }));
    await bed.holds(3);
    calls.push(bed.caller.call(getOneByOne, { id: '5' }, context));
    await bed.holdsOnly(3);
    bed.held.shift();
    bed.release();
    await Promise.all(calls);
  });

  it('passes the turn of one that has left', async () => {
    bed.hold();
    const { exchange } = contextOf(undefined, Infinity, exchangeFor());
    const call = (id: string, timeoutMs = Infinity) =>
      bed.caller.call(getOneByOne, { id }, { exchange, timeoutMs });
    const first = [call('1'), call('2')];
    const left = call('3', 30).catch((problem: Problem) => problem.code);
    const last = call('4');
    expect(await left).toBe('upstream-timeout');
    bed.held[0]?.end(JSON.stringify({ id: '1', name: 'x' }));
    await bed.holds(3);
    for (const response of bed.held) response.end(JSON.stringify({ id: '1', name: 'x' }));
    await Promise.all([...first, last]);
    expect(bed.asked().sort()).toEqual(['/things/1', '/things/2', '/things/4']);
  });
});

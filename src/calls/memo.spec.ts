import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Problem } from '../problems/problem.ts';
import { BOB, exchangeFor, problemOf, until } from '../upstreams/grpc/call.fixture.ts';
import { ADA, contextOf, ThingsBed, thingSchema, type Thing } from './calls.fixture.ts';
import { httpUpstream } from './http-upstream.ts';

const things = httpUpstream('things');
const getThing = things.get<{ id: string; first?: number }, Thing>('things.get', '/things/{id}', {
  decode: thingSchema,
  query: ['first'],
  memo: true,
});
const getOther = things.get<{ id: string }, Thing>('things.other', '/things/{id}', {
  decode: thingSchema,
  memo: true,
});
const getPlain = things.get<{ id: string }, Thing>('things.plain', '/things/{id}', { decode: thingSchema });
const rename = things.put<{ id: string }, Thing>('things.rename', '/things/{id}', { decode: thingSchema });
const ONE = JSON.stringify({ id: '1', name: 'one' });

describe('calls that are remembered within an exchange', () => {
  let bed: ThingsBed;

  beforeAll(async () => {
    bed = await ThingsBed.start();
  });
  beforeEach(() => {
    bed.answerThings();
    bed.asked();
  });
  afterAll(() => bed.stop());

  it('run once for equal inputs, whether at once or later', async () => {
    const context = contextOf();
    const [first, second] = await Promise.all([
      bed.caller.call(getThing, { id: '1', first: 2 }, context),
      bed.caller.call(getThing, { first: 2, id: '1' }, context),
    ]);
    expect(await bed.caller.call(getThing, { id: '1', first: 2 }, context)).toBe(first);
    expect(second).toBe(first);
    expect(bed.asked()).toEqual(['/things/1?first=2']);
    expect(context.exchange.attempts).toHaveLength(1);
  });

  it('run anew for another input, another call, another exchange and another principal', async () => {
    const context = contextOf();
    await bed.caller.call(getThing, { id: '1' }, context);
    await bed.caller.call(getThing, { id: '2' }, context);
    await bed.caller.call(getOther, { id: '1' }, context);
    await bed.caller.call(getThing, { id: '1' }, contextOf());
    context.exchange.principal = ADA;
    await bed.caller.call(getThing, { id: '1' }, context);
    expect(bed.asked()).toHaveLength(5);
  });

  it('run each time when the declaration does not ask for it', async () => {
    const context = contextOf();
    await bed.caller.call(getPlain, { id: '1' }, context);
    await bed.caller.call(getPlain, { id: '1' }, context);
    expect(bed.asked()).toHaveLength(2);
  });

  it('keep the budget of each to itself', async () => {
    bed.hold();
    const { exchange } = contextOf();
    const hasty = problemOf(bed.caller.call(getThing, { id: '1' }, { exchange, timeoutMs: 30 }));
    const patient = bed.caller.call(getThing, { id: '1' }, { exchange, timeoutMs: Infinity });
    expect(await hasty).toBe('upstream-timeout');
    bed.held[0]?.end(ONE);
    expect(await patient).toEqual({ id: '1', name: 'one' });
    // A value that came in the end is there for everybody, slow as it was.
    await bed.caller.call(getThing, { id: '1' }, { exchange, timeoutMs: 30 });
    expect(bed.asked()).toHaveLength(1);
  });

  it('end with the exchange', async () => {
    bed.hold();
    const { exchange } = contextOf();
    const outcomes = [1, 2].map(() =>
      problemOf(bed.caller.call(getThing, { id: '1' }, { exchange, timeoutMs: 900 })),
    );
    await bed.holds(1);
    exchange.cancel(new Problem('client-closed'));
    expect(await Promise.all(outcomes)).toEqual(['client-closed', 'client-closed']);
    await until(() => bed.aborted === 1);
  });

  it('tell the upstream the deadline of the exchange', async () => {
    bed.hold();
    const exchange = exchangeFor({ deadlineMs: 5000 });
    const answer = bed.caller.call(getThing, { id: '1' }, contextOf(BOB, Infinity, exchange));
    await bed.holds(1);
    const left = Number(bed.held[0]?.req.headers['x-request-deadline-ms']);
    expect(left > 0 && left <= 5000).toBe(true);
    bed.held[0]?.end(ONE);
    await answer;
  });

  it('count a target as failing that was silent until the last one gave up', async () => {
    bed.hold();
    const context = contextOf(BOB, 30);
    expect(await problemOf(bed.caller.call(getThing, { id: '1' }, context))).toBe('upstream-timeout');
    expect(context.exchange.attempts).toEqual([expect.objectContaining({ outcome: 'deadline-exceeded' })]);
  });

  it('forget faults but not that something does not exist', async () => {
    const context = contextOf();
    bed.answer(503);
    expect(await problemOf(bed.caller.call(getThing, { id: '1' }, context))).toBe('upstream-rejected');
    bed.answerThings();
    expect(await bed.caller.call(getThing, { id: '1' }, context)).toMatchObject({ id: '1' });
    expect(await problemOf(bed.caller.call(getThing, { id: 'x' }, context))).toBe('resource-not-found');
    expect(await problemOf(bed.caller.call(getThing, { id: 'x' }, context))).toBe('resource-not-found');
    expect(bed.asked()).toEqual(['/things/1', '/things/1', '/things/x']);
  });

  it('are read again after a call that may change something, also when it was under way meanwhile', async () => {
    const context = contextOf();
    await bed.caller.call(getThing, { id: '1' }, context);
    const changed = bed.caller.call(rename, { id: '1' }, context);
    const meanwhile = bed.caller.call(getThing, { id: '1' }, context);
    await Promise.all([changed, meanwhile]);
    await bed.caller.call(getThing, { id: '1' }, context);
    expect(bed.asked()).toHaveLength(4);
    bed.caller.forget(context.exchange);
    await bed.caller.call(getThing, { id: '1' }, context);
    expect(bed.asked()).toHaveLength(1);
  });

  it('are bounded in an exchange that never ends', async () => {
    const context = contextOf();
    for (let id = 0; id < 1001; id += 1) await bed.caller.call(getThing, { id: String(id) }, context);
    bed.asked();
    await bed.caller.call(getThing, { id: '1000' }, context);
    await bed.caller.call(getThing, { id: '0' }, context);
    expect(bed.asked()).toEqual(['/things/0']);
  });
});

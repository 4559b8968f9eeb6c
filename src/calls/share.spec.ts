import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Problem } from '../problems/problem.ts';
import { BOB, exchangeFor, problemOf, until } from '../upstreams/grpc/call.fixture.ts';
import { ADA, contextOf, ThingsBed, thingSchema, type Thing } from './calls.fixture.ts';
import { httpUpstream } from './http-upstream.ts';

const things = httpUpstream('things');
const getShared = things.get<{ id: string }, Thing>('things.shared', '/things/{id}', {
  decode: thingSchema,
  share: true,
});
const getPublic = things.get<{ id: string }, Thing>('things.public', '/things/{id}', {
  decode: thingSchema,
  share: 'public',
});
const ONE = JSON.stringify({ id: '1', name: 'one' });

describe('calls that share a run', () => {
  let bed: ThingsBed;

  beforeAll(async () => {
    bed = await ThingsBed.start();
  });
  beforeEach(() => {
    bed.hold();
    bed.asked();
  });
  afterAll(() => bed.stop());

  it('makes one request for equal calls of the same principal, across exchanges', async () => {
    const contexts = Array.from({ length: 20 }, () => contextOf());
    const answers = contexts.map((context) => bed.caller.call(getShared, { id: '1' }, context));
    await bed.holds(1);
    bed.held[0]?.end(ONE);
    const values = await Promise.all(answers);
    expect(new Set(values)).toEqual(new Set([values[0]]));
    expect(values[0]).toEqual({ id: '1', name: 'one' });
    expect(bed.asked()).toEqual(['/things/1']);
    // The attempt stands once, on the access line of the one that started it; the upstream on all.
    expect(contexts.map(({ exchange }) => exchange.attempts.length)).toEqual([1, ...Array(19).fill(0)]);
    expect(contexts.every(({ exchange }) => exchange.upstream === 'things')).toBe(true);
  });

  it('asks again when the run has ended', async () => {
    bed.answerThings();
    await bed.caller.call(getShared, { id: '1' }, contextOf());
    await bed.caller.call(getShared, { id: '1' }, contextOf());
    expect(bed.asked()).toEqual(['/things/1', '/things/1']);
  });

  it('freezes what several get, outside production', async () => {
    bed.answerThings();
    expect(Object.isFrozen(await bed.caller.call(getShared, { id: '1' }, contextOf()))).toBe(true);
  });

  it('never shares between principals, nor with nobody', async () => {
    const elsewhere = { ...BOB, issuer: 'https://other.test/' };
    const readers = [BOB, ADA, { ...BOB, roles: ['admin'] }, undefined, elsewhere];
    const answers = readers.map((who) => {
      return bed.caller.call(
        getShared,
        { id: '1' },
        contextOf(undefined, Infinity, exchangeFor({ principal: who })),
      );
    });
    await bed.holds(5);
    for (const response of bed.held) {
      const { 'x-user-id': id = 'nobody', 'x-user-roles': roles = '' } = response.req.headers;
      response.end(JSON.stringify({ id: '1', name: `${String(id)} ${String(roles)}` }));
    }
    const names = (await Promise.all(answers)).map(({ name }) => name);
    expect(names).toEqual(['2 user,reader', '1 admin', '2 admin', 'nobody ', '2 user,reader']);
  });

  it('asks for everybody without an identity when the scope is public', async () => {
    const answers = [BOB, ADA].map((who) => bed.caller.call(getPublic, { id: '1' }, contextOf(who)));
    await bed.holds(1);
    const names = Object.keys(bed.held[0]?.req.headers ?? {});
    expect(names.filter((name) => /^x-(user|client|tenant)/.test(name))).toEqual([]);
    bed.held[0]?.end(ONE);
    expect(await Promise.all(answers)).toHaveLength(2);
    expect(bed.asked()).toHaveLength(1);
  });

  it('goes on for the followers when the one that started it goes away', async () => {
    const leader = contextOf();
    const first = problemOf(bed.caller.call(getShared, { id: '1' }, leader));
    const second = bed.caller.call(getShared, { id: '1' }, contextOf());
    await bed.holds(1);
    leader.exchange.cancel(new Problem('client-closed'));
    expect(await first).toBe('client-closed');
    bed.held[0]?.end(ONE);
    expect(await second).toEqual({ id: '1', name: 'one' });
    expect([bed.aborted, bed.asked().length]).toEqual([0, 1]);
  });

  it('goes on for the followers when the time of the one that started it is up', async () => {
    const first = problemOf(bed.caller.call(getShared, { id: '1' }, contextOf(BOB, 30)));
    const byDeadline = exchangeFor({ deadlineMs: 30 });
    const second = problemOf(bed.caller.call(getShared, { id: '1' }, contextOf(BOB, Infinity, byDeadline)));
    const third = bed.caller.call(getShared, { id: '1' }, contextOf());
    expect([await first, await second]).toEqual(['upstream-timeout', 'deadline-exceeded']);
    bed.held[0]?.end(ONE);
    expect(await third).toEqual({ id: '1', name: 'one' });
  });

  it('sends nobody new to a run that was too slow for somebody', async () => {
    const impatient = problemOf(bed.caller.call(getShared, { id: '1' }, contextOf(BOB, 30)));
    const patient = bed.caller.call(getShared, { id: '1' }, contextOf());
    expect(await impatient).toBe('upstream-timeout');
    const late = bed.caller.call(getShared, { id: '1' }, contextOf());
    await bed.holds(2);
    bed.held[1]?.end(ONE);
    await late;
    bed.held[0]?.end(JSON.stringify({ id: '1', name: 'slow' }));
    expect(await patient).toEqual({ id: '1', name: 'slow' });
  });

  it('aborts the request when the last one leaves, and not before', async () => {
    const contexts = [contextOf(), contextOf(), contextOf()];
    const outcomes = contexts.map((context) => problemOf(bed.caller.call(getShared, { id: '1' }, context)));
    await bed.holds(1);
    for (const { exchange } of contexts.slice(0, 2)) exchange.cancel(new Problem('client-closed'));
    await Promise.all(outcomes.slice(0, 2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(bed.aborted).toBe(0);
    contexts[2]?.exchange.cancel(new Problem('client-closed'));
    await until(() => bed.aborted === 1);
    expect(await Promise.all(outcomes)).toEqual(['client-closed', 'client-closed', 'client-closed']);
  });

  it('takes nobody in who is gone already, and asks nothing for them', async () => {
    const gone = contextOf();
    gone.exchange.cancel(new Problem('client-closed'));
    expect(await problemOf(bed.caller.call(getShared, { id: '1' }, gone))).toBe('client-closed');
    expect(await problemOf(bed.caller.call(getShared, { id: '1' }, contextOf(BOB, 0)))).toBe(
      'upstream-timeout',
    );
    expect(bed.asked()).toEqual([]);
  });

  it('fails everybody with the same problem, and starts anew afterwards', async () => {
    bed.answer(500);
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() => bed.caller.call(getShared, { id: '1' }, contextOf())),
    );
    const reasons = outcomes.map((outcome) => (outcome as { reason: unknown }).reason);
    expect(new Set(reasons).size).toBe(1);
    expect(reasons[0]).toMatchObject({ code: 'upstream-rejected' });
    bed.answerThings();
    expect(await bed.caller.call(getShared, { id: '1' }, contextOf())).toMatchObject({ id: '1' });
  });

  it('rejects an input that cannot be sent, without asking', async () => {
    expect(await problemOf(bed.caller.call(getShared, { id: '..' }, contextOf()))).toBe('request-invalid');
    expect(bed.asked()).toEqual([]);
  });
});

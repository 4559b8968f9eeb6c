import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Breaker } from '../../policies/circuit-breaker/breaker.ts';
import { circuitBreakerPolicy } from '../../policies/circuit-breaker/circuit-breaker.policy.ts';
import type { Problem } from '../../problems/problem.ts';
import { Lease } from '../lease.ts';
import { Target } from '../target.ts';
import { upstreamSchema, type TargetOptions } from '../upstream.schema.ts';
import { Upstream } from '../upstream.ts';
import { nameOf } from './balancing.fixture.ts';
import { CallsUnderWay } from './calls-under-way.ts';
import { saturated, TargetQueue, type Waiter } from './target-queue.ts';

function upstreamOf(options: object): Upstream {
  const parsed = upstreamSchema.parse({ targets: ['http://a:80', 'http://b:80'], ...options });
  const capacity = parsed.maxRequests;
  const make = (one: TargetOptions): Target =>
    new Target(one, { capacity, key: one.url, breaker: new Breaker(circuitBreakerPolicy.schema.parse({})) });
  const maker = { shared: '', keyOf: ({ url }: TargetOptions) => url, make };
  return new Upstream('it', parsed, parsed.targets.map(make), undefined, maker);
}

/** Calls one after the other, and what became of them. */
class Callers {
  readonly leases: Lease[] = [];
  readonly log: string[] = [];
  readonly #upstream: Upstream;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  call(name: string, exchange = createExchange()): Waiter {
    const granted = (lease: Lease): void => {
      this.leases.push(lease);
      this.log.push(`${name}: ${nameOf(lease.target)}`);
    };
    const waiter: Waiter = {
      exchange,
      tried: [],
      granted,
      refused: ({ code }) => void this.log.push(`${name}: ${code}`),
    };
    try {
      const lease = this.#upstream.leaseOrWait(waiter);
      if (lease !== undefined) granted(lease);
    } catch (error) {
      waiter.refused(error as Problem);
    }
    return waiter;
  }

  end(index: number): void {
    this.leases[index]?.release('success');
    jest.advanceTimersByTime(0);
  }
}

beforeEach(() => void jest.useFakeTimers());

afterEach(() => void jest.useRealTimers());

describe('the queue for targets that are not full', () => {
  it('serves those who wait in order, at whichever target is free first, and nobody overtakes', () => {
    const callers = new Callers(upstreamOf({ maxRequests: 1 }));
    for (const name of ['1', '2', '3', '4']) callers.call(name);
    expect(callers.log).toEqual(['1: b', '2: a']);
    callers.leases[1]?.release('success');
    // It is free already, and yet it is not their turn.
    callers.call('5');
    jest.advanceTimersByTime(0);
    callers.end(0);
    callers.end(2);
    expect(callers.log.slice(2)).toEqual(['3: a', '4: b', '5: a']);
  });

  it('never has more calls under way than a target takes, and serves all, on a random schedule', () => {
    const upstream = upstreamOf({ maxRequests: 3 });
    const callers = new Callers(upstream);
    for (let i = 0; i < 200; i += 1) {
      callers.call(`${i}`);
      if (i % 3 !== 0) callers.end(callers.leases.length - 1 - (i % 5));
      for (const { inFlight } of upstream.targets) expect(inFlight).toBeLessThanOrEqual(3);
    }
    for (let i = 0; i < callers.leases.length; i += 1) callers.end(i);
    expect(callers.log).toHaveLength(200);
    expect(upstream.targets.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
    expect([upstream.calls.count, upstream.calls.isAwaited]).toEqual([0, false]);
  });

  it('refuses at its bound at once, and each that has waited too long', () => {
    const callers = new Callers(upstreamOf({ maxRequests: 1, maxQueued: 2, timeouts: { queue: '1s' } }));
    for (const name of ['1', '2', '3', '4', '5']) callers.call(name);
    expect(callers.log.slice(2)).toEqual(['5: upstream-saturated']);
    jest.advanceTimersByTime(999);
    expect(callers.log).toHaveLength(3);
    jest.advanceTimersByTime(1);
    expect(callers.log.slice(3)).toEqual(['3: upstream-saturated', '4: upstream-saturated']);
    callers.end(0);
    expect(callers.log).toHaveLength(5);
  });

  it('serves callers in turn, whatever each of them asks', () => {
    const callers = new Callers(upstreamOf({ maxRequests: 1 }));
    for (const name of ['1', '2', '3', '4', '5']) callers.call(name);
    const id = { id: 'other', scheme: 'apiKey', issuer: undefined, subject: undefined };
    callers.call('6', createExchange({ principal: id as Principal }));
    for (const index of [0, 2, 3]) callers.end(index);
    expect(callers.log.slice(2).map((line) => line[0])).toEqual(['3', '6', '4']);
  });

  it('shortens the wait in front of adaptive limits once the queue has stood for as long as one may wait', () => {
    const limits = { max: 10, waitMs: 1000, isAdaptive: true };
    const refused: string[] = [];
    const calls = new CallsUnderWay();
    const chooser = { calls, isFull: true, choose: () => undefined, refusal: saturated };
    const queue = new TargetQueue(chooser, limits);
    const wait = (name: string): void =>
      queue.add({
        exchange: createExchange(),
        tried: [],
        granted: () => {},
        refused: () => refused.push(name),
      });
    wait('1');
    jest.advanceTimersByTime(999);
    wait('2');
    jest.advanceTimersByTime(2);
    wait('3');
    jest.advanceTimersByTime(51);
    expect(refused).toEqual(['1', '3']);
    jest.advanceTimersByTime(1000);
    wait('4');
    jest.advanceTimersByTime(999);
    expect(refused).toEqual(['1', '3', '2']);
    jest.advanceTimersByTime(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('finds a target that comes while all are full, though nothing has ended', () => {
    const upstream = upstreamOf({ maxRequests: 1 });
    upstream.hold();
    const callers = new Callers(upstream);
    for (const name of ['1', '2', '3', '4']) callers.call(name);
    const told = (url: string) => ({ url, weight: 1, labels: {}, priority: 0 });
    upstream.replace([told('http://a:80'), told('http://b:80'), told('http://c:80')]);
    jest.advanceTimersByTime(51);
    expect(callers.log.slice(2)).toEqual(['3: c']);
    upstream.release();
  });

  it('lets nobody wait for targets that are no longer there to be called', () => {
    const upstream = upstreamOf({ maxRequests: 1 });
    const callers = new Callers(upstream);
    for (const name of ['1', '2', '3', '4']) callers.call(name);
    for (const { breaker } of upstream.targets) breaker?.trip('manual', 60_000);
    jest.advanceTimersByTime(51);
    expect(callers.log.slice(2)).toEqual(['3: circuit-open', '4: circuit-open']);
    expect(upstream.calls.isAwaited).toBe(false);
  });

  it.each([
    ['has turns with another that waits for the same targets', true, '1a2b34'],
    ['is before those who come for the same targets by another', false, '12a3b4'],
  ])('%s', (_what, isStanding, order) => {
    const upstream = upstreamOf({ maxRequests: 1, targets: ['http://c:80'] });
    const callers = new Callers(upstream);
    const subset = { labels: {}, fallback: 'none' } as const;
    const other = (name: string): void =>
      void callers.call(name, Object.assign(createExchange(), { subset }));
    for (const name of ['1', '2', '3', '4']) callers.call(name);
    if (isStanding) for (const name of ['a', 'b']) other(name);
    callers.leases[0]?.release('success');
    // It is free at this moment, and yet it is not their turn.
    if (!isStanding) for (const name of ['a', 'b']) other(name);
    jest.advanceTimersByTime(0);
    for (const index of [1, 2, 3, 4]) callers.end(index);
    expect(callers.log.map((line) => line[0]).join('')).toBe(order);
  });

  it('forgets who leaves', () => {
    const upstream = upstreamOf({ maxRequests: 1 });
    const callers = new Callers(upstream);
    callers.call('1');
    callers.call('2');
    upstream.leave(callers.call('3'));
    callers.call('4');
    callers.end(0);
    expect(callers.log.slice(2)).toEqual(['4: b']);
  });

  describe('of an upstream with a limit for all its targets', () => {
    const targets = ['a', 'b', 'c'].map((name) => ({ url: `http://${name}:80`, labels: { of: name } }));
    const subsetOf = (name: string, fallback: 'none' | 'any' = 'none') => ({
      labels: { of: name },
      fallback,
    });
    const at = (subset: object) => Object.assign(createExchange(), { subset });

    it('has so many under way and no more, whatever part of it is asked for, on a random schedule', () => {
      const upstream = upstreamOf({ maxInFlight: 4, maxRequests: 2, targets });
      const callers = new Callers(upstream);
      const parts = [subsetOf('a'), subsetOf('b', 'any'), subsetOf('c'), undefined];
      for (let i = 0; i < 200; i += 1) {
        const part = parts[i % parts.length];
        callers.call(`${i}`, part === undefined ? createExchange() : at(part));
        if (i % 3 !== 0) callers.end(callers.leases.length - 1 - (i % 5));
        const underWay = upstream.targets.reduce((sum, { inFlight }) => sum + inFlight, 0);
        expect(underWay).toBeLessThanOrEqual(4);
        expect(upstream.calls.count).toBe(underWay);
      }
      for (let i = 0; i < callers.leases.length; i += 1) callers.end(i);
      expect(callers.log).toHaveLength(200);
      expect([upstream.calls.count, upstream.calls.isAwaited]).toEqual([0, false]);
    });

    it('is told apart from what nobody can be asked for, and says so at once', () => {
      const upstream = upstreamOf({ maxInFlight: 1, targets });
      const callers = new Callers(upstream);
      callers.call('1', at(subsetOf('a')));
      upstream.targets[1]?.breaker?.trip('manual', 60_000);
      callers.call('2', at(subsetOf('b')));
      callers.call('3', at(subsetOf('b', 'any')));
      callers.call('4', at(subsetOf('c', 'any')));
      expect(callers.log.slice(1)).toEqual(['2: circuit-open']);
      callers.end(0);
      callers.end(1);
      expect(callers.log.slice(2).sort()).toEqual([expect.stringMatching(/^3: [ac]$/), '4: c']);
    });

    it('refuses who does not wait, is asked twice by nobody once it is nearly full, and counts on over a change', () => {
      const upstream = upstreamOf({ maxInFlight: 5, targets });
      const callers = new Callers(upstream);
      const first = callers.call('1');
      for (const name of ['2', '3', '4']) callers.call(name);
      const [asked] = upstream.targets as [Target];
      expect(upstream.avoidedBeside(first.exchange, asked)).toEqual([asked]);
      callers.call('5');
      expect(upstream.avoidedBeside(first.exchange, asked)).toBeUndefined();
      expect(() => upstream.lease(undefined)).toThrow(
        expect.objectContaining({ code: 'upstream-saturated' }),
      );
      const next = new Upstream('it', { ...upstream.options, maxInFlight: 6 }, upstream.targets, upstream);
      const more = new Callers(next);
      for (const name of ['6', '7']) more.call(name);
      expect(more.leases).toHaveLength(1);
      callers.end(0);
      expect(more.leases).toHaveLength(2);
      expect([upstream.calls.count, next.calls.count]).toEqual([6, 6]);
    });
  });

  it('has nobody wait where nothing is limited, or where it is not for the calls under way', () => {
    const free = new Callers(upstreamOf({}));
    for (const name of ['1', '2', '3', '4']) free.call(name);
    expect(free.leases).toHaveLength(4);
    const none = new Callers(
      upstreamOf({
        maxRequests: 1,
        subset: { track: 'x' },
        targets: [{ url: 'http://c:80', labels: { track: 'x' } }],
      }),
    );
    none.call('1');
    none.call('2');
    expect(none.log).toEqual(['1: c']);
  });
});

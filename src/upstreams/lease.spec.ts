import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomFrom } from '../../test/support/random.ts';
import { Breaker, type Outcome } from '../policies/circuit-breaker/breaker.ts';
import { circuitBreakerPolicy } from '../policies/circuit-breaker/circuit-breaker.policy.ts';
import { Lease, STEADY_MS } from './lease.ts';
import { Target } from './target.ts';

const OPEN_MS = 10_000;
const TARGET = {
  url: 'http://a:1',
  weight: 1,
  labels: {},
  zone: undefined,
  priority: 0,
  serverName: undefined,
};

let counted: string[];
let changes: string[];
let watched: string[];
let target: Target;

function create(options: object = {}): void {
  [counted, changes, watched] = [[], [], []];
  const breaker = new Breaker(
    {
      ...circuitBreakerPolicy.schema.parse({ openFor: '10s', window: 100, consecutiveFailures: 3 }),
      ...options,
    },
    {
      onOutcome: (isFailure) => counted.push(isFailure ? 'failure' : 'success'),
      onChange: ({ state }) => changes.push(state),
    },
  );
  target = new Target(TARGET, { breaker });
}

const WATCH = {
  settled: (outcome: Outcome, ms: number) => void watched.push(`${outcome} ${Math.round(ms)}`),
  broke: () => void watched.push('broke'),
};

function watchedLease(): Lease {
  const lease = new Lease(target);
  lease.watchedBy(WATCH);
  return lease;
}

/** The one call that is let through after the breaker has opened. */
function probe(): Lease {
  target.breaker?.trip('ejected', OPEN_MS);
  jest.advanceTimersByTime(OPEN_MS);
  return watchedLease();
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  create();
});
afterEach(() => {
  target.breaker?.shutdown();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('an answer that has begun well', () => {
  it.each<[Outcome, string]>([
    ['success', 'success'],
    ['failure', 'failure'],
    // Its client has left.
    ['neutral', 'success'],
  ])('and ends as a %s is one %s, for everybody', (ends, is) => {
    const lease = watchedLease();
    jest.advanceTimersByTime(7);
    lease.opened();
    lease.opened();
    expect([counted, watched]).toEqual([[], []]);
    jest.advanceTimersByTime(STEADY_MS - 1);
    lease.release(ends);
    lease.release('failure');
    expect([counted, watched]).toEqual([[is], [`${is} 7`]]);
  });

  it('and breaks off again and again opens the breaker: nothing good comes between', () => {
    for (let i = 0; i < 3; i += 1) {
      const lease = new Lease(target);
      lease.opened();
      // However long it has streamed.
      jest.advanceTimersByTime(i * STEADY_MS);
      lease.release('failure');
    }
    expect(changes).toEqual(['open']);
  });

  it('is a success for who watches once it has streamed for long, and a failure if it breaks off after all', () => {
    const lease = watchedLease();
    lease.opened();
    jest.advanceTimersByTime(STEADY_MS);
    expect([counted, watched]).toEqual([[], ['success 0']]);
    lease.release('failure');
    expect([counted, watched]).toEqual([['failure'], ['success 0', 'broke']]);
  });
});

describe('a probe', () => {
  it('whose answer is cut opens the breaker again, without having closed it', () => {
    const lease = probe();
    lease.opened();
    jest.advanceTimersByTime(STEADY_MS - 1);
    expect(new Lease(target).target.available).toBe(false);
    lease.release('failure');
    expect([changes, watched]).toEqual([['open', 'half-open', 'open'], ['failure 0']]);
  });

  it('whose answer is a stream closes the breaker once that has lasted; if it breaks off then, that is one failure', () => {
    const lease = probe();
    lease.opened();
    jest.advanceTimersByTime(STEADY_MS);
    expect([changes, counted]).toEqual([['open', 'half-open', 'closed'], []]);
    lease.release('failure');
    expect([changes.length, counted, watched]).toEqual([3, ['failure'], ['success 0', 'broke']]);
  });

  it.each<[Outcome, string]>([
    ['success', 'closed'],
    ['neutral', 'closed'],
  ])('whose good answer ends as a %s leaves it %s', (ends, state) => {
    const lease = probe();
    lease.opened();
    lease.release(ends);
    expect(target.breaker?.state).toBe(state);
  });

  it('that is not heard of says nothing: the breaker opens again', () => {
    const lease = probe();
    lease.unheard();
    expect(target.breaker?.state).toBe('open');
    lease.release('neutral');
  });
});

it('a call that was not heard of for long counts by its end', () => {
  const lease = new Lease(target);
  lease.unheard();
  lease.opened();
  lease.release('failure');
  expect(counted).toEqual(['failure']);
});

it.each(Array.from({ length: 6 }, (_, seed) => seed))(
  'each call has one outcome, that of its end, whatever comes between, seed %i',
  (seed) => {
    const random = randomFrom(seed);
    create({ consecutiveFailures: Infinity, errorRate: Infinity });
    const expected: string[] = [];
    const under: { lease: Lease; isOpen: boolean }[] = [];
    for (let step = 0; step < 500; step += 1) {
      const what = random();
      const one = under[Math.floor(random() * under.length)];
      if (what < 0.3 || one === undefined) under.push({ lease: watchedLease(), isOpen: false });
      else if (what < 0.5) {
        one.lease.opened();
        one.isOpen = true;
      } else if (what < 0.6) jest.advanceTimersByTime(random() * STEADY_MS);
      else {
        under.splice(under.indexOf(one), 1);
        const ends = (['success', 'failure', 'neutral'] as const)[Math.floor(random() * 3)] as Outcome;
        one.lease.release(ends);
        const is = ends === 'neutral' && one.isOpen ? 'success' : ends;
        if (is !== 'neutral') expected.push(is);
      }
    }
    for (const { lease } of under) lease.release('neutral');
    const more = under.filter(({ isOpen }) => isOpen).map(() => 'success');
    expect(counted).toEqual([...expected, ...more]);
    const net = (word: string): number => watched.filter((line) => line.startsWith(word)).length;
    const failures = counted.filter((one) => one === 'failure').length;
    expect([net('failure') + net('broke'), net('success') - net('broke')]).toEqual([
      failures,
      counted.length - failures,
    ]);
    expect(target.inFlight).toBe(0);
  },
);

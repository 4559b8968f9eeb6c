import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { AttemptEnd } from './attempt-end.ts';
import { Attempts } from './attempts.ts';
import { Target } from './target.ts';
import { upstreamSchema } from './upstream.schema.ts';
import { Upstream } from './upstream.ts';

const RESET: AttemptEnd = { retry: 'reset', isConnection: true };
const UNAVAILABLE: AttemptEnd = { retry: 503 };

function upstreamOf(names: readonly string[], retry: object = {}): Upstream {
  const origins = names.map((name) => `http://${name}`);
  const options = upstreamSchema.parse({
    targets: origins,
    retry: { attempts: 9, budget: '100%', ...retry },
  });
  return new Upstream(
    'it',
    options,
    options.targets.map((target) => new Target(target, {})),
  );
}

function attemptsAt(upstream: Upstream, { mayRepeat = true, deadlineMs = Infinity } = {}): Attempts {
  const exchange = createExchange();
  exchange.deadlineAt = performance.now() + deadlineMs;
  return new Attempts(exchange, upstream, new Metrics(), mayRepeat);
}

/** Who is asked, attempt after attempt, as long as each ends so. */
function asked(attempts: Attempts, end: AttemptEnd): string {
  let hosts = '';
  do {
    hosts += attempts.next().target.host;
    attempts.settle('neutral', 'x');
  } while (hosts.length < 20 && attempts.retries(end));
  return hosts;
}

describe('Attempts', () => {
  beforeEach(() => void jest.useFakeTimers());

  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  it('asks everybody once before anybody twice, and nobody twice in a row', () => {
    const upstream = upstreamOf(['a', 'b', 'c'], { attempts: 4 });
    const [first, second, third, fourth] = asked(attemptsAt(upstream), UNAVAILABLE);
    expect(new Set([first, second, third]).size).toBe(3);
    expect(fourth).not.toBe(third);
  });

  it('asks the only target again after a fault of its connection, and not after an answer', () => {
    expect(asked(attemptsAt(upstreamOf(['a'], { attempts: 3 })), RESET)).toBe('aaa');
    expect(asked(attemptsAt(upstreamOf(['a'], { attempts: 3 })), UNAVAILABLE)).toBe('a');
  });

  it('repeats what has effects only when the target has certainly not begun with it', () => {
    const upstream = upstreamOf(['a', 'b'], { attempts: 2 });
    expect(asked(attemptsAt(upstream, { mayRepeat: false }), RESET)).toHaveLength(1);
    expect(asked(attemptsAt(upstream, { mayRepeat: false }), { ...RESET, untouched: true })).toHaveLength(2);
  });

  it('goes elsewhere when nothing was sent, whatever `on` says', () => {
    const upstream = upstreamOf(['a', 'b'], { on: [] });
    const unsent: AttemptEnd = { retry: 'queue', untouched: true };
    expect(asked(attemptsAt(upstream), RESET)).toHaveLength(1);
    expect(asked(attemptsAt(upstream, { mayRepeat: false }), unsent).length).toBeGreaterThan(1);
  });

  it('counts the first attempt of a request for the budget, and no other', () => {
    const upstream = upstreamOf(['a', 'b'], { budget: '50%' });
    // Three, and the half of a request that is not enough for a fourth.
    expect(asked(attemptsAt(upstream), UNAVAILABLE)).toHaveLength(1 + 3);
    expect(asked(attemptsAt(upstream), UNAVAILABLE)).toHaveLength(1 + 1);
  });

  describe('wait', () => {
    const waitOf = (attempts: Attempts): number => {
      const before = performance.now();
      let at: number | undefined;
      attempts.again({ attempt: () => void (at = performance.now()) });
      if (at === undefined) jest.runOnlyPendingTimers();
      return (at ?? Infinity) - before;
    };

    it('not for a target that was not asked', () => {
      const attempts = attemptsAt(upstreamOf(['a', 'b']));
      attempts.next();
      expect(attempts.retries(RESET)).toBe(true);
      expect(waitOf(attempts)).toBe(0);
    });

    it.each([
      [0.999, [24, 74, 174, 249]],
      [0.5, [12, 37, 87, 125]],
    ])('longer and longer for the same one, with chance at %d', (chance, waits) => {
      jest.spyOn(Math, 'random').mockReturnValue(chance);
      const attempts = attemptsAt(upstreamOf(['a']));
      const waited = waits.map(() => {
        attempts.next();
        return attempts.retries(RESET) ? Math.floor(waitOf(attempts)) : undefined;
      });
      expect(waited).toEqual(waits);
    });

    it('as long as the target wants, and a little more, up to the longest', () => {
      jest.spyOn(Math, 'random').mockReturnValue(0.999);
      const upstream = upstreamOf(['a'], { maxWait: '2s' });
      const attempts = attemptsAt(upstream);
      attempts.next();
      expect(attempts.retries({ ...UNAVAILABLE, afterMs: 2001 })).toBe(false);
      expect(attempts.retries({ ...UNAVAILABLE, afterMs: 2000 })).toBe(true);
      expect(Math.floor(waitOf(attempts))).toBe(2024);
    });

    it.each([
      [1000, false],
      [1026, true],
    ])('not into a deadline in %i ms', (deadlineMs, waits) => {
      jest.spyOn(Math, 'random').mockReturnValue(0.999);
      const attempts = attemptsAt(upstreamOf(['a']), { deadlineMs });
      attempts.next();
      expect(attempts.retries({ ...UNAVAILABLE, afterMs: 1000 })).toBe(waits);
    });

    it('no longer once it is stopped', () => {
      const attempts = attemptsAt(upstreamOf(['a']));
      attempts.next();
      expect(attempts.stop()).toBe(false);
      attempts.retries({ ...UNAVAILABLE, afterMs: 1000 });
      const attempt = jest.fn();
      attempts.again({ attempt });
      expect([attempts.stop(), attempts.stop()]).toEqual([true, false]);
      jest.advanceTimersByTime(10_000);
      expect(attempt).not.toHaveBeenCalled();
    });
  });
});

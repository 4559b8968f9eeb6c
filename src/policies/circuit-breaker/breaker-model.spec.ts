import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import { Breaker, REFUSED, type Admission, type Outcome } from './breaker.ts';
import { circuitBreakerPolicy } from './circuit-breaker.policy.ts';

const LIMITS = { window: 6, errorRate: 0.5, consecutiveFailures: 4 } as const;
const [OPEN_MS, MOST_MS, PROBE_MS, SLOW_MS] = [1000, 5000, 3000, 100];

/** A breaker in the fewest words: lists and times, no timers. */
class Model {
  now = 0;
  state: 'closed' | 'open' | 'half-open' = 'closed';
  era = 0;
  last: boolean[] = [];
  row = 0;
  failedForMs = OPEN_MS;
  openForMs = 0;
  until = 0;
  probe: number | undefined;
  suspectUntil = 0;
  manual = false;

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.state === 'open' ? this.until : (this.probe ?? Infinity);
      if (next > end) break;
      this.now = next;
      if (this.state === 'open') this.move('half-open');
      else this.open(this.openForMs);
    }
    this.now = end;
  }

  admit(): 'refused' | 'ordinary' | 'probe' {
    if (this.state === 'closed') return 'ordinary';
    if (this.state === 'open' || this.probe !== undefined) return 'refused';
    this.probe = this.now + PROBE_MS;
    return 'probe';
  }

  settle(isProbe: boolean, era: number, outcome: Outcome, ms: number): void {
    if (era !== this.era) return;
    const ended = outcome === 'success' && ms > SLOW_MS ? 'failure' : outcome;
    if (isProbe) this.probed(ended);
    else if (ended !== 'neutral') this.count(ended === 'failure');
  }

  /** The answer to a probe broke off that had closed the breaker. */
  broke(era: number): void {
    if (this.era === era + 1 && this.state === 'closed') this.count(true);
  }

  count(failed: boolean): void {
    this.last = [...this.last, failed].slice(-LIMITS.window);
    this.row = failed ? this.row + 1 : 0;
    const share = this.last.filter(Boolean).length / LIMITS.window;
    const many = this.last.length === LIMITS.window && share >= LIMITS.errorRate;
    if (!failed || !(many || this.row >= LIMITS.consecutiveFailures || this.suspectUntil > this.now)) return;
    this.manual = false;
    this.open(this.failedForMs);
  }

  probed(outcome: Outcome): void {
    if (outcome === 'success') return this.close();
    if (outcome === 'neutral') return this.open(this.openForMs);
    if (!this.manual) this.failedForMs = Math.min(this.failedForMs * 2, MOST_MS);
    this.manual = false;
    this.open(this.failedForMs);
  }

  open(ms: number): void {
    this.openForMs = ms;
    this.until = this.now + ms;
    this.move('open');
  }

  close(): void {
    [this.last, this.row, this.failedForMs, this.suspectUntil] = [[], 0, OPEN_MS, 0];
    if (this.state !== 'closed') this.move('closed');
  }

  move(state: Model['state']): void {
    this.state = state;
    this.era += 1;
    this.probe = undefined;
  }
}

/** As `expect` does, which is too slow for so many. */
function same(step: number, is: readonly unknown[], expected: readonly unknown[]): void {
  if (is.some((value, i) => value !== expected[i])) expect([step, is]).toEqual([step, expected]);
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
afterEach(() => void jest.useRealTimers());

it.each(Array.from({ length: 12 }, (_, seed) => seed))(
  'a breaker does what its model does, seed %i',
  (seed) => {
    const random = randomFrom(seed);
    const pick = (n: number): number => Math.floor(random() * n);
    const parsed = circuitBreakerPolicy.schema.parse({});
    const times = { openFor: OPEN_MS, maxOpenFor: MOST_MS, probeTimeout: PROBE_MS, slowCalls: SLOW_MS };
    const breaker = new Breaker({ ...parsed, ...LIMITS, ...times });
    const model = new Model();
    const calls: { admission: Admission; isProbe: boolean; era: number }[] = [];
    const proven: typeof calls = [];
    const bias = random();
    const seen = new Set<string>();
    for (let step = 0; step < 400; step += 1) {
      const what = pick(100);
      if (what < 40) {
        const expected = model.admit();
        const admission = breaker.admit();
        same(step, [admission === REFUSED ? 'refused' : admission > 0 ? 'ordinary' : 'probe'], [expected]);
        if (expected !== 'refused') calls.push({ admission, isProbe: expected === 'probe', era: model.era });
      } else if (what < 80 && calls.length > 0) {
        const [call] = calls.splice(pick(calls.length), 1);
        if (call === undefined) continue;
        const outcome = pick(8) === 0 ? 'neutral' : random() < bias ? 'failure' : 'success';
        const ms = pick(2 * SLOW_MS);
        model.settle(call.isProbe, call.era, outcome, ms);
        breaker.settle(call.admission, outcome, ms);
        if (call.isProbe) proven.push(call);
      } else if (what < 84 && proven.length > 0) {
        const [call] = proven.splice(pick(proven.length), 1);
        if (call === undefined) continue;
        model.broke(call.era);
        breaker.broke(call.admission);
      } else if (what < 95) {
        const ms = pick(1500);
        model.advance(ms);
        jest.advanceTimersByTime(ms);
      } else if (what < 97) {
        const ms = pick(2000);
        model.suspectUntil = ms === 0 ? 0 : model.now + ms;
        breaker.suspect(ms);
      } else if (what < 98) {
        model.manual = true;
        model.open(2500);
        breaker.trip('manual', 2500);
      } else if (what < 99) {
        model.close();
        breaker.close();
      }
      seen.add(model.state);
      const leftMs = model.state === 'open' ? model.until - model.now : 0;
      const available =
        model.state === 'closed' || (model.state === 'half-open' && model.probe === undefined);
      const is = [breaker.state, breaker.available, Math.round(breaker.openForMs)];
      same(step, is, [model.state, available, leftMs]);
    }
    expect(seen.size).toBe(3);
    breaker.shutdown();
    expect(jest.getTimerCount()).toBe(0);
  },
);

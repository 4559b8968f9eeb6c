import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Breaker, type Outcome } from './breaker.ts';
import { circuitBreakerPolicy } from './circuit-breaker.policy.ts';

// opossum learns the outcome of a probe through a promise.
async function turn(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}

describe('Breaker', () => {
  let breaker: Breaker;
  let changes: string[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'Date'] });
    changes = [];
  });

  afterEach(() => {
    breaker.shutdown();
    jest.useRealTimers();
  });

  function create(options: Parameters<typeof circuitBreakerPolicy.schema.parse>[0] = {}): Breaker {
    breaker = new Breaker(circuitBreakerPolicy.schema.parse(options), (state) => changes.push(state));
    return breaker;
  }

  function call(...outcomes: Outcome[]): void {
    for (const outcome of outcomes) {
      const admission = breaker.admit();
      expect(admission).toBe('ordinary');
      breaker.settle(admission, outcome);
    }
  }

  const fail = (times: number) => call(...Array.from({ length: times }, (): Outcome => 'failure'));
  const succeed = (times: number) => call(...Array.from({ length: times }, (): Outcome => 'success'));

  async function probe(outcome: Outcome): Promise<void> {
    const admission = breaker.admit();
    expect(admission).toBe('probe');
    breaker.settle(admission, outcome);
    await turn();
  }

  it('is closed and lets everything through at first', () => {
    create();
    expect([breaker.state, breaker.available, breaker.openForMs, breaker.admit()]).toEqual([
      'closed',
      true,
      0,
      'ordinary',
    ]);
  });

  it('opens when the error rate over the last N calls is reached', () => {
    create({ window: 4, errorRate: '50%' });
    call('success', 'failure', 'success');
    expect(breaker.state).toBe('closed');
    call('failure');
    expect([breaker.state, breaker.available, breaker.admit()]).toEqual(['open', false, 'refused']);
    expect(changes).toEqual(['open']);
  });

  it('looks at no rate before it has seen N calls', () => {
    create({ window: 10, errorRate: '1%' });
    fail(9);
    expect(breaker.state).toBe('closed');
    fail(1);
    expect(breaker.state).toBe('open');
  });

  it('forgets what is older than the last N calls', () => {
    create({ window: 4, errorRate: '75%', consecutiveFailures: 100 });
    call('failure', 'failure', 'success', 'success', 'success', 'failure', 'failure');
    expect(breaker.state).toBe('closed');
    call('failure');
    expect(breaker.state).toBe('open');
  });

  it('opens by failures in a row, whatever the window says', () => {
    create({ window: 100, consecutiveFailures: 3 });
    succeed(50);
    fail(2);
    succeed(1);
    fail(2);
    expect(breaker.state).toBe('closed');
    fail(1);
    expect(breaker.state).toBe('open');
  });

  it('takes neutral outcomes for nothing: they neither count nor break a row', () => {
    create({ window: 100, consecutiveFailures: 3 });
    call('failure', 'neutral', 'failure', 'neutral');
    expect(breaker.state).toBe('closed');
    call('failure');
    expect(breaker.state).toBe('open');
  });

  it('stays open for `openFor` and tells how long still', () => {
    create({ consecutiveFailures: 1, openFor: '10s' });
    fail(1);
    expect(breaker.openForMs).toBe(10_000);
    jest.advanceTimersByTime(9999);
    expect([breaker.state, breaker.openForMs, breaker.admit()]).toEqual(['open', 1, 'refused']);
    jest.advanceTimersByTime(1);
    expect([breaker.state, breaker.available, breaker.openForMs]).toEqual(['half-open', true, 0]);
  });

  it('ignores what calls report that began before it opened', () => {
    create({ consecutiveFailures: 1 });
    const [early, late] = [breaker.admit(), breaker.admit()];
    breaker.settle(early, 'failure');
    breaker.settle(late, 'success');
    expect(breaker.state).toBe('open');
    expect(changes).toEqual(['open']);
  });

  it('lets exactly one probe through when it is half-open', () => {
    create({ consecutiveFailures: 1, openFor: '1s' });
    fail(1);
    jest.advanceTimersByTime(1000);
    expect([breaker.admit(), breaker.admit(), breaker.available]).toEqual(['probe', 'refused', false]);
  });

  it('closes after a good probe, with a clean record', async () => {
    create({ window: 2, errorRate: '100%', consecutiveFailures: 2, openFor: '1s' });
    fail(2);
    jest.advanceTimersByTime(1000);
    await probe('success');
    expect([breaker.state, breaker.admit()]).toEqual(['closed', 'ordinary']);
    fail(1);
    expect(breaker.state).toBe('closed');
    expect(changes).toEqual(['open', 'half-open', 'closed']);
  });

  it('doubles its time while probes fail, up to the cap, and starts anew once closed', async () => {
    create({ consecutiveFailures: 1, openFor: '1s', maxOpenFor: '5s' });
    fail(1);
    const times: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      times.push(breaker.openForMs);
      jest.advanceTimersByTime(breaker.openForMs);
      await probe('failure');
    }
    expect(times).toEqual([1000, 2000, 4000, 5000]);
    jest.advanceTimersByTime(4999);
    expect(breaker.state).toBe('open');
    jest.advanceTimersByTime(1);
    await probe('success');
    fail(1);
    expect(breaker.openForMs).toBe(1000);
  });

  it('opens again after a probe that said nothing, no longer than before', async () => {
    create({ consecutiveFailures: 1, openFor: '1s' });
    fail(1);
    jest.advanceTimersByTime(1000);
    await probe('neutral');
    expect([breaker.state, breaker.openForMs]).toEqual(['open', 1000]);
    jest.advanceTimersByTime(1000);
    await probe('success');
    expect(breaker.state).toBe('closed');
  });

  it('holds no timer after shutdown', () => {
    create({ consecutiveFailures: 1 });
    fail(1);
    breaker.shutdown();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('holds no timer while it is closed', () => {
    create();
    succeed(30);
    expect(jest.getTimerCount()).toBe(0);
  });
});

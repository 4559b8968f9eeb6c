import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Breaker, REFUSED, type Outcome } from './breaker.ts';
import { circuitBreakerPolicy } from './circuit-breaker.policy.ts';

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
    breaker = new Breaker(circuitBreakerPolicy.schema.parse(options), {
      onChange: ({ state }) => changes.push(state),
    });
    return breaker;
  }

  function call(...outcomes: Outcome[]): void {
    for (const outcome of outcomes) {
      const admission = breaker.admit();
      expect(admission).toBeGreaterThan(0);
      breaker.settle(admission, outcome);
    }
  }

  const fail = (times: number) => call(...Array.from({ length: times }, (): Outcome => 'failure'));
  const succeed = (times: number) => call(...Array.from({ length: times }, (): Outcome => 'success'));

  function probe(outcome: Outcome): void {
    const admission = breaker.admit();
    expect(admission).toBeLessThan(0);
    breaker.settle(admission, outcome);
  }

  it('is closed and lets everything through at first', () => {
    create();
    expect([breaker.state, breaker.available, breaker.openForMs, breaker.admit() > 0]).toEqual([
      'closed',
      true,
      0,
      true,
    ]);
  });

  it('opens when the error rate over the last N calls is reached', () => {
    create({ window: 4, errorRate: '50%' });
    call('success', 'failure', 'success');
    expect(breaker.state).toBe('closed');
    call('failure');
    expect([breaker.state, breaker.available, breaker.admit()]).toEqual(['open', false, REFUSED]);
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
    expect([breaker.state, breaker.openForMs, breaker.admit()]).toEqual(['open', 1, REFUSED]);
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
    expect(breaker.admit()).toBeLessThan(0);
    expect([breaker.admit(), breaker.available]).toEqual([REFUSED, false]);
  });

  it('closes after a good probe, with a clean record', () => {
    create({ window: 2, errorRate: '100%', consecutiveFailures: 2, openFor: '1s' });
    fail(2);
    jest.advanceTimersByTime(1000);
    probe('success');
    expect([breaker.state, breaker.admit() > 0]).toEqual(['closed', true]);
    fail(1);
    expect(breaker.state).toBe('closed');
    expect(changes).toEqual(['open', 'half-open', 'closed']);
  });

  it('doubles its time while probes fail, up to the cap, and starts anew once closed', () => {
    create({ consecutiveFailures: 1, openFor: '1s', maxOpenFor: '5s' });
    fail(1);
    const times: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      times.push(breaker.openForMs);
      jest.advanceTimersByTime(breaker.openForMs);
      probe('failure');
    }
    expect(times).toEqual([1000, 2000, 4000, 5000]);
    jest.advanceTimersByTime(4999);
    expect(breaker.state).toBe('open');
    jest.advanceTimersByTime(1);
    probe('success');
    fail(1);
    expect(breaker.openForMs).toBe(1000);
  });

  it('opens again after a probe that said nothing, no longer than before', () => {
    create({ consecutiveFailures: 1, openFor: '1s' });
    fail(1);
    jest.advanceTimersByTime(1000);
    probe('neutral');
    expect([breaker.state, breaker.openForMs]).toEqual(['open', 1000]);
    jest.advanceTimersByTime(1000);
    probe('success');
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

  it('ignores what calls report that began before it opened, also once it is closed again', () => {
    create({ consecutiveFailures: 1, openFor: '1s' });
    const late = breaker.admit();
    fail(1);
    jest.advanceTimersByTime(1000);
    probe('success');
    breaker.settle(late, 'failure');
    expect(breaker.state).toBe('closed');
  });

  it('is neither closed nor opened by late results while its probe is under way', () => {
    create({ consecutiveFailures: 1, openFor: '1s' });
    const [early, late] = [breaker.admit(), breaker.admit()];
    fail(1);
    jest.advanceTimersByTime(1000);
    const admission = breaker.admit();
    breaker.settle(early, 'success');
    breaker.settle(late, 'failure');
    expect(breaker.state).toBe('half-open');
    breaker.settle(admission, 'success');
    expect(breaker.state).toBe('closed');
  });

  it('gives up a probe that never ends, opens no longer than before, and ignores what it says at last', () => {
    create({ consecutiveFailures: 1, openFor: '1s', probeTimeout: '5s' });
    fail(1);
    jest.advanceTimersByTime(1000);
    const lost = breaker.admit();
    jest.advanceTimersByTime(4999);
    expect(breaker.state).toBe('half-open');
    jest.advanceTimersByTime(1);
    expect([breaker.state, breaker.openForMs]).toEqual(['open', 1000]);
    jest.advanceTimersByTime(1000);
    breaker.settle(lost, 'success');
    expect(breaker.state).toBe('half-open');
    probe('success');
    expect(breaker.state).toBe('closed');
  });

  it('counts an answer as a failure whose first byte took longer than `slowCalls`, one at the bound not', () => {
    create({ consecutiveFailures: 1, slowCalls: '1s' });
    breaker.settle(breaker.admit(), 'success', 1000);
    expect(breaker.state).toBe('closed');
    breaker.settle(breaker.admit(), 'neutral', 9999);
    expect(breaker.state).toBe('closed');
    breaker.settle(breaker.admit(), 'success', 1001);
    expect(breaker.state).toBe('open');
  });

  it('counts the answer to a probe that broke off after all, unless the breaker has moved since', () => {
    create({ consecutiveFailures: 1, openFor: '1s' });
    fail(1);
    jest.advanceTimersByTime(1000);
    const admission = breaker.admit();
    breaker.settle(admission, 'success');
    expect(breaker.state).toBe('closed');
    breaker.broke(admission);
    expect(breaker.state).toBe('open');
    jest.advanceTimersByTime(1000);
    probe('success');
    breaker.broke(admission);
    expect(breaker.state).toBe('closed');
  });

  describe('suspect', () => {
    it('opens at the next failure, and never without one', () => {
      create({ consecutiveFailures: 5 });
      breaker.suspect(30_000);
      succeed(3);
      expect([breaker.state, breaker.isSuspect]).toEqual(['closed', true]);
      fail(1);
      expect(breaker.state).toBe('open');
    });

    it.each([
      ['its time has passed', () => jest.advanceTimersByTime(30_000)],
      ['it is taken back', () => breaker.suspect(0)],
    ])('is as before once %s', (_, pass) => {
      create({ consecutiveFailures: 5 });
      breaker.suspect(30_000);
      pass();
      expect(breaker.isSuspect).toBe(false);
      fail(4);
      expect(breaker.state).toBe('closed');
    });

    it('lasts no longer than the breaker itself could be open', () => {
      create({ maxOpenFor: '60s' });
      breaker.suspect(1e12);
      jest.advanceTimersByTime(60_000);
      expect(breaker.isSuspect).toBe(false);
    });
  });

  describe('by hand', () => {
    it('opens for that long, and lets one call through then', () => {
      create({ openFor: '1s' });
      breaker.trip('manual', 60_000);
      jest.advanceTimersByTime(59_999);
      expect([breaker.state, breaker.admit()]).toEqual(['open', REFUSED]);
      jest.advanceTimersByTime(1);
      probe('success');
      expect(breaker.state).toBe('closed');
    });

    it('opens anew for that long when it is open already, and tells so', () => {
      create({ consecutiveFailures: 1, openFor: '1s' });
      fail(1);
      breaker.trip('manual', 60_000);
      jest.advanceTimersByTime(1000);
      expect([breaker.state, breaker.openForMs, breaker.cause]).toEqual(['open', 59_000, 'manual']);
      expect(changes).toEqual(['open', 'open']);
    });

    it('closes with a clean record', () => {
      create({ consecutiveFailures: 2, openFor: '1s' });
      fail(2);
      breaker.close();
      fail(1);
      expect(breaker.state).toBe('closed');
      jest.advanceTimersByTime(10_000);
      expect(changes).toEqual(['open', 'closed']);
    });
  });

  it('remembers its last 20 transitions and why', () => {
    create();
    for (let i = 0; i < 15; i += 1) {
      breaker.trip('manual', 1000);
      breaker.close();
    }
    expect(breaker.history).toHaveLength(20);
    expect(breaker.history.at(-2)).toMatchObject({ state: 'open', cause: 'manual', openForMs: 1000 });
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import { bad, GOOD, type Probe, type ProbeDone } from './probe.ts';
import { ProbeSlots } from './probe-slots.ts';
import { Prober } from './prober.ts';
import { WatchWorld } from './watch-world.fixture.ts';

const SCHEDULE = { interval: 5000, edgeInterval: 1000, timeout: 2000, up: 2, down: 3 };

/** A service whose answers a test decides; `hold` keeps the next ones. */
class Service implements Probe {
  isGood = true;
  /** Asked for the how-manieth time, what it answers. */
  script: (time: number) => boolean = () => this.isGood;
  hold = false;
  asked: number[] = [];
  cancelled = 0;
  renewed = 0;
  underWay = 0;

  ask(done: ProbeDone): () => void {
    this.asked.push(performance.now());
    this.underWay += 1;
    // Takes a millisecond.
    const isGood = this.script(this.asked.length);
    if (!this.hold) setImmediate(() => done(isGood ? GOOD : bad('status 500')));
    return () => {
      this.underWay -= 1;
      this.cancelled += 1;
    };
  }

  renew(): void {
    this.renewed += 1;
  }

  close(): void {}
}

let world: WatchWorld;

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));

afterEach(() => {
  world.end();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

function probed(verdict: 'unknown' | 'up' = 'up', random = (): number => 0.5) {
  world = new WatchWorld(2, {}, verdict);
  const service = new Service();
  const watch = world.at(0);
  const slots = new ProbeSlots(32);
  watch.prober = new Prober(SCHEDULE, { watch, probe: service, warn: () => {}, slots, random });
  watch.prober.start();
  const gaps = (): number[] => service.asked.map((at, i) => Math.round(at - (service.asked[i - 1] ?? 0)));
  return { service, watch, gaps, slots };
}

describe('Prober', () => {
  it.each([
    [0, 0],
    [0.5, 2500],
    [0.999, 4995],
  ])('asks first after a random part of the interval, %d', (part, ms) => {
    const { service } = probed('up', () => part);
    jest.advanceTimersByTime(ms);
    jest.advanceTimersByTime(1);
    expect(service.asked).toHaveLength(1);
  });

  it('asks again after the interval, give or take 10%', () => {
    const { gaps } = probed('up', randomFrom(1));
    jest.advanceTimersByTime(300_000);
    const later = gaps().slice(1);
    expect(later.length).toBeGreaterThan(50);
    for (const gap of later) {
      expect(gap).toBeGreaterThanOrEqual(4500);
      expect(gap).toBeLessThanOrEqual(5505);
    }
    expect(Math.max(...later) - Math.min(...later)).toBeGreaterThan(800);
  });

  it('takes it down after 3 bad ones and brings it back after 2 good ones, asking each second meanwhile', () => {
    const { service, watch, gaps } = probed();
    service.isGood = false;
    const verdicts: (string | undefined)[] = [];
    const step = (): void => {
      jest.advanceTimersByTime(service.asked.length === 0 ? 2501 : 1001);
      verdicts.push(watch.verdict);
    };
    for (let i = 0; i < 3; i += 1) step();
    expect(verdicts).toEqual(['up', 'up', 'down']);
    expect(watch.reason).toBe('probe: status 500');
    service.isGood = true;
    jest.advanceTimersByTime(5001);
    step();
    expect(verdicts.at(-1)).toBe('up');
    expect(gaps().slice(1)).toEqual([1001, 1001, 5001, 1001]);
  });

  it('takes one good answer of one that was never asked, and one bad one where it has no calls', () => {
    const { service, watch } = probed('unknown');
    jest.advanceTimersByTime(2501);
    expect(watch.verdict).toBe('up');
    world.end();
    const other = probed('unknown');
    other.watch.isTrusted = false;
    other.service.isGood = false;
    jest.advanceTimersByTime(2501);
    expect(other.watch.verdict).toBe('down');
    expect(service.asked).toHaveLength(1);
  });

  it('needs as many bad ones as usual of one that was never asked and has calls', () => {
    const { service, watch } = probed('unknown');
    service.isGood = false;
    jest.advanceTimersByTime(3502);
    expect([watch.verdict, watch.isTrusted, service.asked.length]).toEqual(['unknown', true, 2]);
    jest.advanceTimersByTime(1001);
    expect(watch.verdict).toBe('down');
  });

  it('gives one up that takes longer than the timeout, and counts it as bad', () => {
    const { service, watch } = probed();
    service.hold = true;
    jest.advanceTimersByTime(2500 + 1999);
    expect(service.underWay).toBe(1);
    jest.advanceTimersByTime(1);
    expect(service.underWay).toBe(0);
    jest.advanceTimersByTime(2 * 3000);
    expect([watch.verdict, watch.probeFault]).toEqual(['down', 'no answer within 2000 ms']);
  });

  it('takes a flapping target for what it was', () => {
    const { service, watch } = probed();
    service.script = (time) => time % 3 === 0;
    jest.advanceTimersByTime(120_000);
    expect(service.asked.length).toBeGreaterThan(40);
    expect([watch.verdict, world.said]).toEqual(['up', []]);
  });

  it('asks over a fresh connection every 10th time', () => {
    const { service } = probed();
    jest.advanceTimersByTime(2501 + 9 * 5001);
    expect([service.asked.length, service.renewed]).toEqual([10, 0]);
    jest.advanceTimersByTime(5001);
    expect([service.asked.length, service.renewed]).toEqual([11, 1]);
  });

  it('asks twice as often while another replica has left the target alone', () => {
    const { watch, gaps } = probed();
    watch.breaker?.suspect(60_000);
    jest.advanceTimersByTime(2501 + 2 * 2501);
    expect(gaps().slice(1)).toEqual([2501, 2501]);
  });

  it('ends with its target: nothing is asked any more, and what is under way is given up', () => {
    const { service, watch, slots } = probed();
    service.hold = true;
    jest.advanceTimersByTime(2501);
    watch.end();
    expect([service.underWay, slots.taken]).toEqual([0, 0]);
    jest.advanceTimersByTime(100_000);
    expect(service.asked).toHaveLength(1);
  });
});

describe('ProbeSlots', () => {
  it('lets 32 ask at once, the others in turn; who leaves is not asked', () => {
    world = new WatchWorld(40, {}, 'up');
    const slots = new ProbeSlots(32);
    const service = new Service();
    service.hold = true;
    for (const watch of world.watches) {
      watch.prober = new Prober(SCHEDULE, { watch, probe: service, warn: () => {}, slots, random: () => 0 });
      watch.prober.start();
    }
    jest.advanceTimersByTime(1);
    expect([service.asked.length, service.underWay, slots.taken]).toEqual([32, 32, 32]);
    world.at(39).prober?.stop();
    jest.advanceTimersByTime(2000);
    expect([service.asked.length, slots.taken]).toEqual([39, 7]);
  });
});

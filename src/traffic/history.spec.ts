import { describe, expect, it } from '@jest/globals';
import { FAILED, WELL } from '../telemetry/flow.ts';
import { Flows } from '../telemetry/flows.ts';
import { History, SLICE } from './history.ts';
import { Sums } from './slot-ring.ts';

const STEP_MS = 10_000;

function world(records?: number): {
  flows: Flows;
  history: History;
  pass: (steps?: number) => Promise<void>;
} {
  let now = 1_800_000_000_000;
  const flows = new Flows();
  const history = new History(flows, () => now, records);
  const pass = async (steps = 1): Promise<void> => {
    for (let i = 0; i < steps; i += 1) {
      now += STEP_MS;
      await history.look();
    }
  };
  return { flows, history, pass };
}

describe('History', () => {
  it('looks only at flows that have counted something, and at a bounded number at once', async () => {
    const { flows, history, pass } = world();
    for (let i = 0; i < 10_000; i += 1) flows.of('route', `r${i}`);
    for (let i = 0; i < 10; i += 1) flows.of('route', `r${i}`).count(5, WELL);
    await pass();
    expect(history.cost).toEqual({ flows: 10, atOnce: 10 });
    for (let i = 0; i < 10_000; i += 1) flows.of('route', `r${i}`).count(5, WELL);
    await pass();
    expect(history.cost).toEqual({ flows: 10_000, atOnce: SLICE });
    await pass();
    expect(history.cost.flows).toBe(0);
  });

  it('has rates of the last minute, which nothing older is in', async () => {
    const { flows, history, pass } = world();
    const flow = flows.of('route', 'users');
    for (let i = 0; i < 120; i += 1) flow.count(10, i < 12 ? FAILED : WELL);
    await pass(6);
    expect(history.numbers(flow)).toMatchObject({ rps: 2, errorRate: 0.1, refusedRate: 0, state: 'failing' });
    await pass();
    expect(history.numbers(flow)).toMatchObject({
      rps: 0,
      p95: null,
      state: 'idle',
      lastSeen: expect.any(String),
    });
    expect(history.isBusy(flow)).toBe(false);
  });

  it('draws curves of 10 min and of 2 h, the open step included', async () => {
    const { flows, history, pass } = world();
    const flow = flows.of('route', 'users');
    flow.count(10, WELL);
    await pass(3);
    flow.count(20, FAILED);
    const short = history.series([flow], '10m');
    expect(short).toMatchObject({ stepMs: STEP_MS });
    expect(short.requests.slice(-4)).toEqual([1, 0, 0, 1]);
    expect(short.errors.at(-1)).toBe(1);
    expect(short.p95.slice(-4)).toEqual([10, null, null, 20]);
    await pass(24);
    const long = history.series([flow], '2h');
    expect(long.requests.reduce((sum, one) => sum + one)).toBe(2);
    expect(history.whole('2h', new Sums()).requests).toEqual(long.requests);
  });

  it('never grows: when its records are full, the oldest steps go first, and rates stay right', async () => {
    const { flows, history, pass } = world(20);
    const [busy, other] = [flows.of('route', 'busy'), flows.of('route', 'other')];
    for (let step = 0; step < 100; step += 1) {
      busy.count(1, WELL);
      other.count(1, WELL);
      await pass();
    }
    const seen = history.series([other], '10m').requests.filter((one) => one > 0);
    // Two flows and what is of all of them in a step: six steps and a part of the seventh.
    expect(seen).toHaveLength(7);
    expect(history.numbers(other).rps).toBeCloseTo(0.1);
    // A third more flows than there is room for in the window: it is shorter, and rates are of what is left.
    for (let step = 0; step < 3; step += 1) {
      for (let i = 0; i < 9; i += 1) flows.of('route', `r${i}`).count(1, WELL);
      await pass();
    }
    expect(history.windowMs).toBeLessThanOrEqual(30_000);
  });

  it('forgets flows that are gone', async () => {
    const { flows, history, pass } = world();
    const flow = flows.of('route', 'users');
    flow.count(1, WELL);
    await pass();
    flows.forget('route', ['users']);
    flow.count(1, WELL);
    await pass(8);
    expect(flows.size).toBe(0);
    expect(history.cost.flows).toBe(0);
  });

  it('shows codes of this time and the one before', async () => {
    const { flows, history, pass } = world();
    const flow = flows.of('route', 'users');
    const since = history.codesSince;
    flow.say('limit rate-limited');
    await pass(60);
    expect(flow.codesBefore?.get('limit rate-limited')).toBe(1);
    await pass(60);
    expect(flow.codesBefore).toBeUndefined();
    expect(history.codesSince).toBeGreaterThan(since);
  });
});

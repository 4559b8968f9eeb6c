import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLogger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { UpstreamRegistry } from '../upstream-registry.ts';
import { upstreamSchema, type UpstreamOptions } from '../upstream.schema.ts';
import { ejectionFault } from './ejection-fault.ts';
import { MOST_OVERRIDES, TargetOverrides, type Override } from './target-overrides.ts';

const logger = createLogger('silent', { write() {} });
const BY = { by: 'admin from 127.0.0.1', upstream: 'users' };
const ejection = (target: string, forMs?: number): Override => ({
  ...BY,
  kind: 'ejection',
  target,
  since: Date.now(),
  until: forMs === undefined ? undefined : Date.now() + forMs,
});

let metrics: Metrics;
let registries: UpstreamRegistry[];

function registryOf(options: object, previous?: UpstreamRegistry): UpstreamRegistry {
  const users = upstreamSchema.parse(options) as UpstreamOptions;
  const registry = new UpstreamRegistry({ users }, logger, metrics, previous);
  registry.activate();
  registries.push(registry);
  return registry;
}

const targets = ['http://a:1', 'http://b:1', 'http://c:1', 'http://d:1'];

function chosen(registry: UpstreamRegistry, times = 100): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < times; i += 1) {
    const { target } = registry.get('users').lease(undefined);
    counts[target.host] = (counts[target.host] ?? 0) + 1;
    // Given back at once.
    target.inFlight = 0;
  }
  return counts;
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  metrics = new Metrics();
  registries = [];
});

afterEach(async () => {
  for (const registry of registries) await registry.close();
  jest.useRealTimers();
});

describe('a target that is taken out', () => {
  it('has no call until its time is over, which is told', () => {
    const registry = registryOf({ targets, circuitBreaker: 'off' });
    registry.overrides.put(ejection('b:1', 60_000));
    expect(chosen(registry)['b:1']).toBeUndefined();
    jest.advanceTimersByTime(59_999);
    expect(chosen(registry)['b:1']).toBeUndefined();
    jest.advanceTimersByTime(1);
    expect(chosen(registry)['b:1']).toBe(25);
    expect(registry.overrides.all()).toEqual([]);
    expect(metrics.changes.since(0)).toMatchObject([{ kind: 'ejection', upstream: 'users', target: 'b:1' }]);
  });

  it('has none in a panic either, and is not why there is one', () => {
    const registry = registryOf({ targets, panicThreshold: '50%', balancing: 'roundRobin' });
    for (const host of ['a:1', 'b:1', 'c:1']) registry.overrides.put(ejection(host));
    expect(chosen(registry)).toEqual({ 'd:1': 100 });
  });

  it('stays out over a reload that makes it anew, and over one that leaves it out and takes it back', () => {
    const first = registryOf({ targets });
    first.overrides.put(ejection('a:1', 60_000));
    const second = registryOf({ targets, maxConnections: 7 }, first);
    expect(second.get('users').targets[0]).not.toBe(first.get('users').targets[0]);
    expect(chosen(second)['a:1']).toBeUndefined();
    const third = registryOf({ targets: targets.slice(1), maxConnections: 8 }, second);
    expect(third.overrides.all()).toHaveLength(1);
    const fourth = registryOf({ targets, maxConnections: 9 }, third);
    expect(chosen(fourth)['a:1']).toBeUndefined();
    fourth.overrides.undo('ejection', 'users', 'a:1');
    expect(chosen(fourth)['a:1']).toBe(25);
  });

  it('is replaced by a later order, whose time counts', () => {
    const registry = registryOf({ targets });
    registry.overrides.put(ejection('a:1', 1000));
    registry.overrides.put(ejection('a:1', 5000));
    jest.advanceTimersByTime(1000);
    expect(registry.overrides.of('ejection', 'users', 'a:1')).toBeDefined();
    jest.advanceTimersByTime(4000);
    expect(registry.overrides.of('ejection', 'users', 'a:1')).toBeUndefined();
  });
});

describe('another weight', () => {
  it('holds over a reload with another one, and what the file says then comes back', () => {
    const first = registryOf({ targets, balancing: 'roundRobin' });
    first.overrides.put({ ...ejection('a:1'), kind: 'weight', weight: 7 });
    expect(chosen(first)).toEqual({ 'a:1': 70, 'b:1': 10, 'c:1': 10, 'd:1': 10 });
    const [url, ...others] = targets;
    const second = registryOf({ targets: [{ url, weight: 2 }, ...others], balancing: 'roundRobin' }, first);
    expect(chosen(second)['a:1']).toBe(70);
    second.overrides.undo('weight', 'users', 'a:1');
    expect(chosen(second)['a:1']).toBe(40);
  });
});

describe(ejectionFault.name, () => {
  it('keeps the last target that can be called', () => {
    const users = registryOf({ targets: targets.slice(0, 2) }).get('users');
    expect(ejectionFault(users, 'a:1')).toBeUndefined();
    users.targets[1]?.breaker?.trip('manual', 60_000);
    expect(ejectionFault(users, 'a:1')).toBe(
      'without a:1 no target of users could be called; `force` takes it out all the same',
    );
  });

  it('keeps what maxEjected says, where the upstream ejects by itself', () => {
    const registry = registryOf({ targets, health: { passive: { maxEjected: '50%' } } });
    const users = registry.get('users');
    registry.overrides.put(ejection('a:1'));
    expect(ejectionFault(users, 'b:1')).toBeUndefined();
    registry.overrides.put(ejection('b:1'));
    expect(ejectionFault(users, 'c:1')).toContain(
      '3 of 4 targets of users would be out, and maxEjected allows 2',
    );
    // Again, for longer.
    expect(ejectionFault(users, 'b:1')).toBeUndefined();
  });

  it('counts what operators have taken out when failures eject', () => {
    const registry = registryOf({ targets, health: { passive: { maxEjected: '25%', failures: 1 } } });
    registry.overrides.put(ejection('a:1'));
    const target = registry.get('users').targets[1];
    target?.breaker?.settle(target.breaker.admit(), 'failure');
    expect(target?.available).toBe(true);
  });
});

describe(TargetOverrides.name, () => {
  it('holds so many, and shows each of them', async () => {
    const { overrides } = registryOf({ targets });
    for (let i = 0; i < MOST_OVERRIDES; i += 1) overrides.put(ejection(`x${i}:1`));
    expect([overrides.put(ejection('a:1')), overrides.put(ejection('x0:1'))]).toEqual([false, true]);
    overrides.undo('ejection', 'users', 'x1:1');
    expect(overrides.put(ejection('a:1', 5000))).toBe(true);
    const page = await metrics.registry.metrics();
    expect(page).toContain('gatehouse_target_overrides{upstream="users",target="a:1",kind="ejection"} 1');
    for (const { target } of overrides.all()) overrides.undo('ejection', 'users', target);
    expect(jest.getTimerCount()).toBe(0);
  });
});

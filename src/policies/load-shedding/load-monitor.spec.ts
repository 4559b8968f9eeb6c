import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import { randomFrom } from '../../../test/support/random.ts';
import type { Principal } from '../../exchange/principal.ts';
import type { Problem } from '../../problems/problem.ts';
import { CallerPriorityStage } from '../caller-priority/caller-priority.stage.ts';
import { LoadMonitor, READ_EVERY_MS } from './load-monitor.ts';
import { loadSheddingSchema } from './load-shedding.schema.ts';
import { LoadSheddingStage } from './load-shedding.stage.ts';
import { PRIORITY_CLASSES, shedShare } from './priority-class.ts';
import { ProcessSensor, type LoadReading } from './process-sensor.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const CALM: LoadReading = { eventLoopDelay: 0, eventLoopUtilization: 0, memory: 0, queueTime: 0 };

/** A monitor whose readings are said. */
function monitorOf(options: object = {}) {
  const sensor = { reading: CALM, isOn: false, start: () => {}, stop: () => {}, read: () => sensor.reading };
  sensor.start = () => void (sensor.isOn = true);
  sensor.stop = () => void (sensor.isOn = false);
  const monitor = new LoadMonitor(sensor);
  monitor.use(loadSheddingSchema.parse(options));
  return { monitor, sensor };
}

const pass = (ms: number): void => void jest.advanceTimersByTime(ms);

describe('LoadMonitor', () => {
  it('looks only while somebody asks', () => {
    const { monitor, sensor } = monitorOf();
    expect([sensor.isOn, jest.getTimerCount()]).toEqual([false, 0]);
    monitor.watch();
    monitor.watch();
    monitor.unwatch();
    expect(sensor.isOn).toBe(true);
    monitor.unwatch();
    expect([sensor.isOn, jest.getTimerCount()]).toEqual([false, 0]);
  });

  it('rises once a sensor was over its threshold for two seconds, and not for a moment', () => {
    const { monitor, sensor } = monitorOf();
    monitor.watch();
    sensor.reading = { ...CALM, eventLoopDelay: 500 };
    pass(1500);
    sensor.reading = CALM;
    pass(READ_EVERY_MS);
    sensor.reading = { ...CALM, eventLoopDelay: 500 };
    pass(2000);
    expect(monitor.level).toBe(0);
    pass(READ_EVERY_MS);
    expect(monitor.level).toBe(0.5);
    pass(10 * READ_EVERY_MS);
    expect(monitor.level).toBeGreaterThan(0.99);
    monitor.onModuleDestroy();
  });

  it.each([
    ['eventLoopDelay', 100, 300, {}],
    ['memory', 0.85, 0.9, {}],
    ['eventLoopUtilization', 0.9, 0.95, { eventLoopUtilization: {} }],
    ['queueTime', 20, 110, { queueTime: {} }],
  ])('goes by %s, scaled between two thresholds', (name, from, half, options) => {
    const { monitor, sensor } = monitorOf({ enterAfter: '0s', ...options });
    monitor.watch();
    sensor.reading = { ...CALM, [name]: from };
    pass(READ_EVERY_MS);
    expect(monitor.level).toBe(0);
    sensor.reading = { ...CALM, [name]: half };
    pass(20 * READ_EVERY_MS);
    expect(monitor.level).toBeCloseTo(0.5, 3);
    monitor.onModuleDestroy();
  });

  it('is not told by what is off', () => {
    const { monitor, sensor } = monitorOf({ enterAfter: '0s', eventLoopDelay: 'off', memory: 'off' });
    monitor.watch();
    sensor.reading = { eventLoopDelay: 1e6, eventLoopUtilization: 1, memory: 1, queueTime: 1e6 };
    pass(5000);
    expect(monitor.level).toBe(0);
    monitor.onModuleDestroy();
  });

  it('comes down slowly, and is at rest ten seconds after the last reading over the threshold', () => {
    const { monitor, sensor } = monitorOf({ enterAfter: '0s' });
    monitor.watch();
    sensor.reading = { ...CALM, memory: 1 };
    pass(10_000);
    sensor.reading = CALM;
    pass(5000);
    expect(monitor.level).toBeCloseTo(0.5, 1);
    pass(5500);
    expect(monitor.level).toBe(0);
    monitor.onModuleDestroy();
  });

  it('takes other thresholds over at once', () => {
    const { monitor, sensor } = monitorOf({ enterAfter: '0s' });
    monitor.watch();
    sensor.reading = { ...CALM, memory: 0.5 };
    pass(READ_EVERY_MS);
    expect(monitor.level).toBe(0);
    monitor.use(loadSheddingSchema.parse({ enterAfter: '0s', memory: { from: '10%', full: '50%' } }));
    expect(monitor.level).toBe(0.5);
    monitor.onModuleDestroy();
  });
});

describe('ProcessSensor', () => {
  it('reads this process', () => {
    jest.useRealTimers();
    const sensor = new ProcessSensor();
    sensor.start();
    const { eventLoopDelay, eventLoopUtilization, memory } = sensor.read();
    sensor.stop();
    expect(eventLoopDelay).toBeGreaterThanOrEqual(0);
    expect(eventLoopUtilization).toBeGreaterThanOrEqual(0);
    expect(memory).toBeGreaterThan(0);
    expect(memory).toBeLessThan(1);
  });
});

describe('the classes', () => {
  it('are refused the least first, by share, and the critical one never', () => {
    const shares = [0, 0.25, 0.5, 0.6, 0.85, 1].map((level) =>
      PRIORITY_CLASSES.map((one) => Number(shedShare(one, level).toFixed(2))),
    );
    expect(shares).toEqual([
      [0, 0, 0, 0],
      [0.5, 0, 0, 0],
      [1, 0.25, 0, 0],
      [1, 0.5, 0, 0],
      [1, 1, 0.5, 0],
      [1, 1, 1, 0],
    ]);
  });

  it('lose the share that is their own, though the route has refused some before it knew who calls', () => {
    const { monitor } = monitorOf();
    const random = randomFrom(7);
    monitor.level = 0.5;
    const deps = { routeId: 'it', monitor, metrics: undefined, random };
    const early = new LoadSheddingStage('normal', deps);
    const classes = {
      usual: 'normal',
      early: 'normal',
      tiers: new Map([['free', 'low']]),
      known: { tenants: new Map([['acme', 'free']]) },
      rules: [],
    } as const;
    const late = new CallerPriorityStage(classes as never, deps);
    const refusedOf = (tier: string | undefined, tenant?: string): number => {
      let refused = 0;
      const exchange = createExchange({ principal: { tier, tenant, id: '1' } as Principal });
      for (let i = 0; i < 4000; i += 1) {
        try {
          early.enter(exchange);
          late.enter(exchange);
        } catch (problem) {
          const { code, headers } = problem as Problem;
          if (code === 'load-shed' && /^[2-8]$/.test(headers?.['retry-after'] ?? '')) refused += 1;
        }
      }
      return refused / 4000;
    };
    expect(refusedOf('pro')).toBeCloseTo(0.25, 1);
    expect(refusedOf('free')).toBe(1);
    expect(refusedOf(undefined, 'acme')).toBe(1);
    monitor.onModuleDestroy();
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Registry } from 'prom-client';
import { DurationHistogram } from './duration-histogram.ts';
import type { MetricValue } from './metric-family.ts';

const TRACE = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
let histogram: DurationHistogram;

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000 });
  histogram = new DurationHistogram(
    { name: 'h_seconds', help: 'h', labels: ['route'], bounds: [0.1, 1] },
    new Registry(),
  );
});
afterEach(() => void jest.useRealTimers());

const values = (): readonly MetricValue[] => [...histogram.slices()].flat();
const shown = (): readonly string[] =>
  values().map(({ metricName = '', labels, value }) => `${metricName} ${labels['le'] ?? ''} ${value}`);

describe('a histogram of durations', () => {
  it('counts each in the first bucket that is not shorter, and shows them added up', () => {
    const cell = histogram.cell({ route: 'a' });
    for (const seconds of [0.05, 0.1, 0.5, 3]) cell.observe(seconds);
    expect(shown()).toEqual([
      'h_seconds_bucket 0.1 2',
      'h_seconds_bucket 1 3',
      'h_seconds_bucket +Inf 4',
      'h_seconds_sum  3.65',
      'h_seconds_count  4',
    ]);
  });

  it('has the newest exemplar of each bucket, and another one after 10 s', () => {
    const cell = histogram.cell({ route: 'a' });
    const exemplars = () => values().flatMap(({ exemplar }) => (exemplar === undefined ? [] : [exemplar]));
    cell.observe(0.05, TRACE);
    jest.advanceTimersByTime(9999);
    cell.observe(0.06, { ...TRACE, traceId: 'c'.repeat(32) });
    cell.observe(5, { ...TRACE, traceId: 'd'.repeat(32) });
    expect(exemplars()).toEqual([
      { labelSet: { trace_id: TRACE.traceId, span_id: TRACE.spanId }, value: 0.05, timestamp: 1000 },
      { labelSet: { trace_id: 'd'.repeat(32), span_id: TRACE.spanId }, value: 5, timestamp: 1009.999 },
    ]);
    jest.advanceTimersByTime(1);
    cell.observe(0.07, { ...TRACE, traceId: 'c'.repeat(32) });
    expect(exemplars()[0]).toMatchObject({ labelSet: { trace_id: 'c'.repeat(32) }, value: 0.07 });
  });

  it('shows nothing more of what is forgotten, which may count on', () => {
    const [gone, kept] = [histogram.cell({ route: 'gone' }), histogram.cell({ route: 'kept' })];
    histogram.forget('route', new Set(['gone']));
    gone.observe(1);
    kept.observe(1);
    expect(new Set(values().map(({ labels }) => labels['route']))).toEqual(new Set(['kept']));
  });
});

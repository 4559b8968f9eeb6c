import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Series } from '../data/traffic.ts';
import { count, duration } from '../data/format.ts';
import { Chart } from './chart.tsx';

/** What happened over time: how many, and how long they took. */
export function SeriesCharts({
  series,
  what = 'requests',
}: {
  readonly series: Series;
  readonly what?: string;
}): JSX.Element {
  const { fromMs, stepMs, requests, errors, refused, p50, p95, p99 } = series;
  const time = { fromMs, stepMs };
  const rates = useMemo(() => {
    const rate = (counts: readonly number[]): number[] => counts.map((one) => (one * 1000) / stepMs);
    return [
      { name: what, colour: 1, values: rate(requests) },
      { name: 'failed', colour: 4, values: rate(errors) },
      { name: 'refused', colour: 5, values: rate(refused) },
    ] as const;
  }, [series]);
  const times = useMemo(
    () =>
      [
        { name: 'p50', colour: 2, values: p50 },
        { name: 'p95', colour: 1, values: p95 },
        { name: 'p99', colour: 3, values: p99 },
      ] as const,
    [series],
  );
  return (
    <div class="columns two">
      <Chart title="Rate" unit={`${what} a second`} format={count} lines={rates} {...time} />
      <Chart title="Latency" unit="until the last byte" format={duration} lines={times} {...time} />
    </div>
  );
}

import type { JSX } from 'preact';
import type { OverviewAnswer, RouteRow } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { count, duration, grouped, percent } from '../data/format.ts';
import { useLive } from '../data/use-live.ts';
import { Answer } from '../parts/empty.tsx';
import { Marks } from '../parts/marks.tsx';
import { Head } from '../parts/panel.tsx';
import { SeriesCharts } from '../parts/series-charts.tsx';
import { Figures } from '../parts/small.tsx';
import { Picture } from '../picture/picture.tsx';
import { Troubles } from './overview-troubles.tsx';
import { Worst, type WorstOf } from './overview-worst.tsx';

const FRESH_MS = 120_000;

const WORST: readonly WorstOf[] = [
  {
    title: 'Slowest',
    sort: '-p95',
    empty: 'No request in the last minute',
    rows: ({ worst }) => worst.slow,
    value: ({ p95 }: RouteRow) => duration(p95),
    unit: 'p95',
  },
  {
    title: 'Failing',
    sort: '-errorRate',
    empty: 'Nothing fails',
    rows: ({ worst }) => worst.failing,
    value: ({ errorRate }: RouteRow) => percent(errorRate),
    unit: 'failed',
  },
  {
    title: 'Refused',
    sort: '-refusedRate',
    empty: 'Nothing is refused',
    rows: ({ worst }) => worst.refused,
    value: ({ refusedRate }: RouteRow) => percent(refusedRate),
    unit: 'refused',
  },
];

/** What is wrong first, then what is worst, then where everything goes. */
export function OverviewPage(): JSX.Element {
  const answered = useLive<OverviewAnswer>('traffic', 'overview');
  return (
    <>
      <Head title="Overview" />
      <Answer of={answered}>
        {(traffic) => (
          <div class="stack">
            <Health traffic={traffic} />
            <Troubles traffic={traffic} />
            <div class="columns three">
              {WORST.map((worst) => (
                <Worst key={worst.sort} of={worst} traffic={traffic} />
              ))}
            </div>
            <Picture />
            <SeriesCharts series={traffic.series} />
            <Marks />
          </div>
        )}
      </Answer>
    </>
  );
}

function Health({ traffic }: { readonly traffic: OverviewAnswer }): JSX.Element {
  const { totals, process, routes, upstreams, generation, startedAt, at } = traffic;
  const upMs = new Date(at).getTime() - new Date(startedAt).getTime();
  const { loopDelayMs, cpu, inFlight } = process;
  return (
    <Figures
      figures={[
        { title: 'Requests', value: count(totals.rps), unit: '/s', note: 'last minute' },
        {
          title: 'Failed',
          value: percent(totals.errorRate),
          note: 'of requests',
          ...(totals.errorRate > 0.01 && { tone: 'bad' }),
        },
        {
          title: 'Refused',
          value: percent(totals.refusedRate),
          note: 'by gateway',
          ...(totals.refusedRate > 0.2 && { tone: 'warn' }),
        },
        { title: 'Latency', value: duration(totals.p95), note: 'p95' },
        { title: 'In flight', value: count(inFlight), note: 'requests' },
        {
          title: 'Event loop',
          value: duration(loopDelayMs),
          note: 'late, p99',
          ...(loopDelayMs > 100 && { tone: 'bad' }),
        },
        { title: 'CPU', value: percent(cpu), note: 'of one core' },
        {
          title: 'Routes',
          value: <a href={hrefTo(['routes'])}>{grouped(routes)}</a>,
          note: `${grouped(upstreams)} upstreams`,
        },
        {
          title: 'Configuration',
          value: <a href={hrefTo(['config'])}>{generation}</a>,
          note: upMs < FRESH_MS ? `up for ${duration(upMs)}` : 'generation',
        },
      ]}
    />
  );
}

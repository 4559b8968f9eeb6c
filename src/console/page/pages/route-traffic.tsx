import type { JSX } from 'preact';
import type { RouteAnswer } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { count, duration, percent } from '../data/format.ts';
import { Empty } from '../parts/empty.tsx';
import { KeptTable } from '../parts/kept-table.tsx';
import { Marks } from '../parts/marks.tsx';
import { Panel } from '../parts/panel.tsx';
import { SeriesCharts } from '../parts/series-charts.tsx';
import { Facts, Figures, When } from '../parts/small.tsx';
import { SplitBar } from '../parts/split-bar.tsx';

/** How a route does: numbers, curves, where the time goes, and the slowest requests. */
export function RouteTraffic({
  route,
  range,
}: {
  readonly route: RouteAnswer;
  readonly range: string;
}): JSX.Element {
  const { row, series, split, slowest } = route;
  return (
    <div class="stack">
      <Figures
        figures={[
          { title: 'Requests', value: count(row.rps), unit: '/s' },
          { title: 'Failed', value: percent(row.errorRate), ...(row.errorRate > 0.01 && { tone: 'bad' }) },
          { title: 'Refused', value: percent(row.refusedRate) },
          { title: 'p50', value: duration(row.p50) },
          { title: 'p95', value: duration(row.p95), ...(row.state === 'slow' && { tone: 'warn' }) },
          { title: 'p99', value: duration(row.p99) },
          { title: 'Last request', value: <When at={row.lastSeen} /> },
        ]}
      />
      <SeriesCharts series={series} />
      <div class="columns two">
        <Panel
          title="Where the time goes"
          note={split ? `mean of ${count(split.watched)} watched` : undefined}
          padded
        >
          {split ? (
            <SplitBar split={split} />
          ) : (
            <Empty title="No request was watched within the window">Up to 20 a second are.</Empty>
          )}
        </Panel>
        <About route={route} />
      </div>
      <Panel title="Slowest requests" note={range === '2h' ? 'of late' : 'of the last minutes'}>
        {slowest.length === 0 ? (
          <Empty title="No slow request is kept">
            The slowest of the last minutes are, with their waterfall.
          </Empty>
        ) : (
          <KeptTable caption="Slowest requests of this route" rows={slowest} sort="slow" />
        )}
      </Panel>
      <Marks />
    </div>
  );
}

function About({ route: { row, origin, clients } }: { readonly route: RouteAnswer }): JSX.Element {
  return (
    <Panel title="About" padded>
      <Facts
        facts={[
          ['Match', <code key="match">{`${row.methods} ${row.path}`}</code>],
          ['Upstream', row.upstream && <a href={hrefTo(['upstreams', row.upstream])}>{row.upstream}</a>],
          ['Declared', <code key="origin">{origin}</code>],
          [
            'Calls most',
            clients[0] && <a href={hrefTo(['clients', clients[0].client])}>{clients[0].client}</a>,
          ],
          [
            'Ask',
            <a key="ask" href={hrefTo(['explain'], { request: exampleOf(row.methods, row.path) })}>
              What would become of a request?
            </a>,
          ],
        ]}
      />
    </Panel>
  );
}

/** A request that this route may take, to begin with. */
export function exampleOf(methods: string, path: string): string {
  const method = methods === '*' ? 'GET' : (methods.split(',')[0] ?? 'GET');
  return `${method} ${path.replaceAll(/\{[^}]*\}|\*/g, '1').replaceAll(/ \[.*$/g, '')}`;
}

import type { JSX } from 'preact';
import type { ListAnswer, UpstreamAnswer } from '../data/traffic.ts';
import { hrefTo, hrefWith, queryText, useAddress } from '../app/address.ts';
import { count, duration, percent } from '../data/format.ts';
import type { HealthAnswer } from '../data/order-answers.ts';
import { useAnswer } from '../data/use-answer.ts';
import { useLive } from '../data/use-live.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Marks } from '../parts/marks.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { ROUTE_COLUMNS } from '../parts/route-columns.tsx';
import { SeriesCharts } from '../parts/series-charts.tsx';
import { Choice, Copy, Figures } from '../parts/small.tsx';
import { State } from '../parts/state.tsx';
import { Table } from '../parts/table.tsx';
import { rowsOf } from './route-policies.tsx';
import { Targets } from './upstream-targets.tsx';

const EVERY_MS = 3000;
const RANGES = [
  ['10m', '10 min'],
  ['2h', '2 h'],
] as const;

/** One upstream: its targets first, then how it does, and who asks it. */
export function UpstreamPage({ id }: { readonly id: string }): JSX.Element {
  const { query } = useAddress();
  const range = query.get('range') ?? '10m';
  const answered = useLive<UpstreamAnswer>(
    `traffic/upstreams/${encodeURIComponent(id)}${queryText({ range })}`,
    `upstream${queryText({ id, range }).replace('?', '&')}`,
  );
  const health = useAnswer<readonly HealthAnswer[] | ListAnswer<HealthAnswer>>('upstreams', EVERY_MS);
  const mine = rowsOf(health.value).find(({ upstream }) => upstream === id);
  const again = (): void => {
    health.again();
    answered.again();
  };
  return (
    <>
      <Head
        title={id}
        above={[['Upstreams', hrefTo(['upstreams'])]]}
        beside={
          <>
            <Copy text={id} what="name" />
          </>
        }
        actions={
          <Choice label="Range" options={RANGES} current={range} hrefOf={(key) => hrefWith({ range: key })} />
        }
      />
      <Answer of={answered} missing={() => <NoUpstream id={id} />}>
        {(upstream) => (
          <div class="stack">
            <Numbers of={upstream} />
            <Targets
              upstream={id}
              rows={upstream.targets}
              health={mine}
              marked={query.get('target') ?? ''}
              again={again}
            />
            <SeriesCharts series={upstream.series} what="attempts" />
            <Panel title="Routes that ask it" note="the busiest first">
              {upstream.routes.length === 0 ? (
                <Empty title="No route asks it" />
              ) : (
                <Table
                  caption={`Routes that ask ${id}`}
                  columns={ROUTE_COLUMNS.slice(0, -1)}
                  rows={upstream.routes}
                  keyOf={(row) => row.id}
                />
              )}
            </Panel>
            <Marks />
          </div>
        )}
      </Answer>
    </>
  );
}

function Numbers({ of: { row } }: { readonly of: UpstreamAnswer }): JSX.Element {
  const { available, targets } = row;
  return (
    <Figures
      figures={[
        {
          title: 'Targets',
          value: (
            <State is={available === targets ? 'good' : available === 0 ? 'bad' : 'warn'}>
              {`${available} of ${targets}`}
            </State>
          ),
          note: 'available',
        },
        { title: 'Attempts', value: count(row.rps), unit: '/s' },
        { title: 'Failed', value: percent(row.errorRate), ...(row.errorRate > 0.01 && { tone: 'bad' }) },
        { title: 'p50', value: duration(row.p50) },
        { title: 'p95', value: duration(row.p95) },
        { title: 'p99', value: duration(row.p99) },
        { title: 'In flight', value: count(row.inFlight) },
      ]}
    />
  );
}

function NoUpstream({ id }: { readonly id: string }): JSX.Element {
  return (
    <Empty title={`No upstream is called “${id}”`}>
      <a href={hrefTo(['upstreams'])}>All upstreams</a>
    </Empty>
  );
}

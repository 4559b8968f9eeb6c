import type { JSX } from 'preact';
import type { OperationAnswer } from '../data/traffic.ts';
import { hrefTo, queryText, useAddress } from '../app/address.ts';
import { count, duration, percent } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Head } from '../parts/panel.tsx';
import { Runs } from '../parts/runs.tsx';
import { SeriesCharts } from '../parts/series-charts.tsx';
import { Copy, Figures } from '../parts/small.tsx';

const EVERY_MS = 5000;

/** One GraphQL operation: cost, time, and what a run of it does. */
export function OperationPage({ id }: { readonly id: string }): JSX.Element {
  const { query } = useAddress();
  const type = query.get('type') ?? undefined;
  const path = `traffic/operations/${encodeURIComponent(id)}${queryText({ type })}`;
  const answered = useAnswer<OperationAnswer>(path, EVERY_MS);
  return (
    <>
      <Head title={id} above={[['GraphQL', hrefTo(['graphql'])]]} beside={<Copy text={id} what="name" />} />
      <Answer of={answered} missing={() => <Empty title={`No operation called “${id}” has run`} />}>
        {({ row, series, waterfall, run, runs }) => (
          <div class="stack">
            <Figures
              figures={[
                { title: 'Cost', value: count(row.cost), unit: 'mean' },
                { title: 'Cost', value: count(row.costMax), unit: 'at most' },
                { title: 'Runs', value: count(row.rps), unit: '/s' },
                {
                  title: 'Failed',
                  value: percent(row.errorRate),
                  ...(row.errorRate > 0.01 && { tone: 'bad' }),
                },
                { title: 'p95', value: duration(row.p95) },
                ...row.errors
                  .slice(0, 2)
                  .map(({ code, count: many }) => ({ title: code, value: count(many), unit: 'errors' })),
              ]}
            />
            <Runs waterfall={waterfall} run={run} runs={runs} />
            <SeriesCharts series={series} what="runs" />
          </div>
        )}
      </Answer>
    </>
  );
}

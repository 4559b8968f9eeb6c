import type { JSX } from 'preact';
import type { ListAnswer, UpstreamRow } from '../data/traffic.ts';
import { hrefTo, queryText, useAddress } from '../app/address.ts';
import { count } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Filter } from '../parts/filters.tsx';
import { PAGE_ROWS, Pager } from '../parts/pager.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { flowColumns } from '../parts/route-columns.tsx';
import { Bar } from '../parts/small.tsx';
import { Flow, State } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';

const EVERY_MS = 5000;

const COLUMNS: readonly Column<UpstreamRow>[] = [
  {
    key: 'upstream',
    title: 'Upstream',
    main: true,
    sort: 'upstream',
    cell: ({ upstream }) => (
      <a class="name" href={hrefTo(['upstreams', upstream])}>
        {upstream}
      </a>
    ),
  },
  {
    key: 'targets',
    title: 'Targets available',
    sort: 'available',
    cell: ({ available, targets }) => (
      <>
        <State is={available === targets ? 'good' : available === 0 ? 'bad' : 'warn'}>
          {`${available} of ${targets}`}
        </State>
        <Bar share={targets === 0 ? 0 : available / targets} tone={available < targets ? 'warn' : ''} />
      </>
    ),
  },
  { key: 'state', title: 'Traffic', secondary: true, cell: ({ state }) => <Flow is={state} /> },
  ...flowColumns<UpstreamRow>(),
  {
    key: 'inFlight',
    title: 'In flight',
    numeric: true,
    secondary: true,
    sort: '-inFlight',
    cell: ({ inFlight }) => count(inFlight),
  },
];

/** All upstreams, with how many of their targets can be asked. */
export function UpstreamsPage(): JSX.Element {
  const { query } = useAddress();
  const [q, sort] = [query.get('q') ?? '', query.get('sort') ?? 'upstream'];
  const from = Math.max(0, Number(query.get('from') ?? 0) || 0);
  const asked = queryText({ q, sort, from: from || undefined, limit: PAGE_ROWS });
  const answered = useAnswer<ListAnswer<UpstreamRow>>(`traffic/upstreams${asked}`, EVERY_MS);
  return (
    <>
      <Head title="Upstreams" />
      <Panel title="All upstreams" note="attempts of the last minute, so that retries count">
        <div class="filters">
          <Filter label="Filter by name" value={q} />
        </div>
        <Answer of={answered}>
          {({ rows, total }) =>
            rows.length === 0 ? (
              <Empty title={q === '' ? 'No upstreams' : `No upstream has “${q}” in its name`}>
                {q === '' && (
                  <span>
                    <code>upstreams:</code> of the configuration has none.
                  </span>
                )}
              </Empty>
            ) : (
              <>
                <Table
                  caption="Upstreams"
                  columns={COLUMNS}
                  rows={rows}
                  keyOf={({ upstream }) => upstream}
                  sort={sort}
                />
                <Pager total={total} from={from} shown={rows.length} of="upstreams" />
              </>
            )
          }
        </Answer>
      </Panel>
    </>
  );
}

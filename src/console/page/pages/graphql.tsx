import type { JSX } from 'preact';
import type { ListAnswer, OperationRow, ViewRow } from '../data/traffic.ts';
import { hrefTo, queryText, useAddress } from '../app/address.ts';
import { count, duration, percent } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { flowColumns } from '../parts/route-columns.tsx';
import { Table, type Column } from '../parts/table.tsx';

const EVERY_MS = 5000;
const MOST = 1000;

const OPERATIONS: readonly Column<OperationRow>[] = [
  {
    key: 'name',
    title: 'Operation',
    main: true,
    sort: 'name',
    cell: ({ name, type }) => (
      <>
        <a class="name" href={hrefTo(['graphql', name], { type })}>
          {name}
        </a>
        <span class="under">{type}</span>
      </>
    ),
  },
  { key: 'cost', title: 'Cost', numeric: true, sort: '-cost', cell: ({ cost }) => count(cost) },
  {
    key: 'costMax',
    title: 'At most',
    numeric: true,
    secondary: true,
    sort: '-costMax',
    cell: ({ costMax }) => count(costMax),
  },
  ...flowColumns<OperationRow>(),
  {
    key: 'codes',
    title: 'Errors',
    secondary: true,
    cell: ({ errors }) => errors.map(({ code, count: many }) => `${code} ${many}`).join(', ') || '–',
  },
];

const VIEWS: readonly Column<ViewRow>[] = [
  {
    key: 'name',
    title: 'View',
    main: true,
    cell: ({ name }) => (
      <a class="name" href={hrefTo(['views', name])}>
        {name}
      </a>
    ),
  },
  { key: 'sections', title: 'Sections', numeric: true, cell: ({ sections }) => sections },
  { key: 'rps', title: 'Runs/s', numeric: true, cell: ({ rps }) => count(rps) },
  { key: 'errors', title: 'Failed', numeric: true, cell: ({ errorRate }) => percent(errorRate) },
  { key: 'p95', title: 'p95', numeric: true, cell: ({ p95 }) => duration(p95) },
];

/** GraphQL operations by what they cost and how long they take, and the views that are composed. */
export function GraphqlPage(): JSX.Element {
  const { query } = useAddress();
  const sort = query.get('sort') ?? '-cost';
  const operations = useAnswer<ListAnswer<OperationRow>>(
    `traffic/operations${queryText({ sort, limit: MOST })}`,
    EVERY_MS,
  );
  const views = useAnswer<ListAnswer<ViewRow>>(`traffic/views?limit=${MOST}`, EVERY_MS);
  return (
    <>
      <Head title="GraphQL and views" />
      <div class="stack">
        <Panel title="Operations" note="last minute">
          <Answer of={operations}>
            {({ rows }) =>
              rows.length === 0 ? (
                <Empty title="No operation yet">Operations are listed once somebody has run one.</Empty>
              ) : (
                <Table
                  caption="GraphQL operations"
                  columns={OPERATIONS}
                  rows={rows}
                  keyOf={({ name, type }) => type + name}
                  sort={sort}
                />
              )
            }
          </Answer>
        </Panel>
        <Panel title="Views and aggregates" note="last minute">
          <Answer of={views}>
            {({ rows }) =>
              rows.length === 0 ? (
                <Empty title="No view has run yet">A view composes answers from several services.</Empty>
              ) : (
                <Table
                  caption="Views and aggregates"
                  columns={VIEWS}
                  rows={rows}
                  keyOf={({ name }) => name}
                />
              )
            }
          </Answer>
        </Panel>
      </div>
    </>
  );
}

import type { JSX } from 'preact';
import type { ClientRow, ClientsAnswer } from '../data/traffic.ts';
import { hrefTo, hrefWith, queryText, useAddress } from '../app/address.ts';
import { clock, count, percent } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Filter } from '../parts/filters.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { Bar, Choice, When } from '../parts/small.tsx';
import { State } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { Quotas } from './limits-quotas.tsx';

const EVERY_MS = 5000;
const SHOWN = [
  ['', 'Calls most'],
  ['limited', 'Limited'],
] as const;

/** Who calls most, and who is being limited. */
export function LimitsPage(): JSX.Element {
  const { query } = useAddress();
  const [q, show] = [query.get('q') ?? '', query.get('show') ?? ''];
  const sort = query.get('sort') ?? '-requests';
  const answered = useAnswer<ClientsAnswer>(`traffic/clients${queryText({ q, sort, limit: 200 })}`, EVERY_MS);
  return (
    <>
      <Head title="Limits and clients" />
      <div class="stack">
        <Panel
          title="Clients"
          note={
            answered.value && `counted since ${clock(answered.value.since)}, ${boundText(answered.value)}`
          }
          actions={
            <Choice label="Show" options={SHOWN} current={show} hrefOf={(key) => hrefWith({ show: key })} />
          }
        >
          <div class="filters">
            <Filter label="Filter by client" value={q} />
          </div>
          <Answer of={answered}>
            {({ rows }) => (
              <Clients
                rows={rows.filter((row) => show === '' || row.limitedBy !== undefined)}
                sort={sort}
                show={show}
              />
            )}
          </Answer>
        </Panel>
        <Quotas />
      </div>
    </>
  );
}

function boundText({ errorBound }: ClientsAnswer): string {
  return errorBound === 0 ? 'exactly so far' : `at most ${count(errorBound)} too high`;
}

function Clients({
  rows,
  sort,
  show,
}: {
  rows: readonly ClientRow[];
  sort: string;
  show: string;
}): JSX.Element {
  if (rows.length === 0)
    return (
      <Empty title={show === '' ? 'Nobody has called' : 'Nobody has met a limit'}>
        within the last minutes.
      </Empty>
    );
  return (
    <Table
      caption="Clients"
      columns={columnsFor(rows)}
      rows={rows}
      keyOf={({ client }) => client}
      sort={sort}
    />
  );
}

function columnsFor(rows: readonly ClientRow[]): readonly Column<ClientRow>[] {
  const most = Math.max(1, ...rows.map(({ requests }) => requests));
  return [
    {
      key: 'client',
      title: 'Client',
      main: true,
      cell: ({ client, kind }) => (
        <>
          <a class="name mono" href={hrefTo(['clients', client])}>
            {client}
          </a>
          <span class="under">{kind}</span>
        </>
      ),
    },
    {
      key: 'requests',
      title: 'Requests',
      numeric: true,
      sort: '-requests',
      cell: ({ requests }) => (
        <>
          {count(requests)}
          <Bar share={requests / most} />
        </>
      ),
    },
    {
      key: 'refused',
      title: 'Refused',
      numeric: true,
      sort: '-refused',
      cell: ({ refused, requests }) =>
        `${count(refused)} (${percent(requests === 0 ? 0 : refused / requests)})`,
    },
    { key: 'limited', title: 'Limited', cell: (row) => <Limited row={row} /> },
    {
      key: 'routes',
      title: 'Mostly',
      secondary: true,
      cell: ({ routes: [first] }) => first && <a href={hrefTo(['routes', first.route])}>{first.route}</a>,
    },
  ];
}

function Limited({ row: { limitedBy, limitedAt } }: { readonly row: ClientRow }): JSX.Element {
  if (limitedBy === undefined) return <span class="quiet">no</span>;
  return (
    <>
      <State is="warn">limited</State>
      <span class="under">
        {limitedBy}, <When at={limitedAt} />
      </span>
    </>
  );
}

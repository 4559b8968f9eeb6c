import type { JSX } from 'preact';
import type { CalledRoute, ClientRow, ClientsAnswer, ExchangesAnswer } from '../data/traffic.ts';
import { hrefTo, queryText } from '../app/address.ts';
import { ago, count, duration, grouped, percent } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { KeptTable } from '../parts/kept-table.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { Copy, Facts, When } from '../parts/small.tsx';
import { State } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { ClientQuotas } from './client-quotas.tsx';

const EVERY_MS = 5000;

const COLUMNS: readonly Column<CalledRoute>[] = [
  {
    key: 'route',
    title: 'Route',
    main: true,
    cell: ({ route }) => (
      <a class="name" href={hrefTo(['routes', route])}>
        {route}
      </a>
    ),
  },
  { key: 'requests', title: 'Requests', numeric: true, cell: ({ requests }) => count(requests) },
  { key: 'refused', title: 'Refused', numeric: true, cell: ({ refused }) => count(refused) },
  {
    key: 'share',
    title: 'Share refused',
    numeric: true,
    cell: ({ requests, refused }) => percent(requests === 0 ? 0 : refused / requests),
  },
  { key: 'left', title: 'Left of limits', numeric: true, cell: ({ left }) => <Left of={left} /> },
];

/** What limits had left when it last called: of the tightest of them, which refill on their own. */
function Left({ of }: { readonly of: CalledRoute['left'] }): JSX.Element {
  if (of === undefined) return <span class="quiet">no limit</span>;
  const { remaining, limit, resetMs, at } = of;
  const fullInMs = Date.parse(at) + resetMs - Date.now();
  return (
    <>
      {remaining === 0 ? (
        <State is="warn">{`0 of ${grouped(limit)}`}</State>
      ) : (
        `${grouped(remaining)} of ${grouped(limit)}`
      )}
      <span class="under">
        {ago(at)}
        {fullInMs > 0 ? `, all of it in ${duration(fullInMs)}` : ', all of it again since'}
      </span>
    </>
  );
}

/** One client: what it asks for, and what it is refused. */
export function ClientPage({ id }: { readonly id: string }): JSX.Element {
  const clients = useAnswer<ClientsAnswer>(`traffic/clients${queryText({ q: id, limit: 100 })}`, EVERY_MS);
  const kept = useAnswer<ExchangesAnswer>(`exchanges${queryText({ client: id, limit: 50 })}`, EVERY_MS);
  return (
    <>
      <Head
        title={id}
        above={[['Limits and clients', hrefTo(['limits'])]]}
        beside={<Copy text={id} what="name" />}
      />
      <div class="stack">
        <Panel title="Calls">
          <Answer of={clients}>
            {({ rows }) => <Calls row={rows.find(({ client }) => client === id)} />}
          </Answer>
        </Panel>
        <ClientQuotas
          id={id}
          kind={clients.value?.rows.find(({ client }) => client === id)?.kind ?? 'principal'}
        />
        <Panel title="Kept requests" note="refused, failed and slow ones">
          <Answer of={kept}>
            {({ rows }) =>
              rows.length === 0 ? (
                <Empty title="None of it is kept" />
              ) : (
                <KeptTable caption="Kept requests of this client" rows={rows} sort="all" />
              )
            }
          </Answer>
        </Panel>
      </div>
    </>
  );
}

function Calls({ row }: { readonly row: ClientRow | undefined }): JSX.Element {
  if (row === undefined) return <Empty title="It has not called within the last minutes" />;
  const { kind, requests, refused, limitedBy, limitedAt, routes } = row;
  const limited = limitedBy && (
    <>
      {limitedBy}, <When at={limitedAt} />
    </>
  );
  return (
    <>
      <div class="filters">
        <Facts
          facts={[
            ['Known by', kind],
            ['Requests', `${count(requests)}, of which ${count(refused)} refused`],
            ['Limited', limited],
          ]}
        />
      </div>
      <Table caption="Routes it asks for" columns={COLUMNS} rows={routes} keyOf={({ route }) => route} />
    </>
  );
}

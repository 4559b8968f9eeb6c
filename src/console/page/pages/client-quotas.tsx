import type { JSX } from 'preact';
import type { ClientRow } from '../data/traffic.ts';
import { queryText } from '../app/address.ts';
import { grouped } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';
import type { UsedQuota } from './limits-quota-use.tsx';
import type { ListedQuota } from './limits-quotas.tsx';

const EVERY_MS = 5000;

interface Left {
  readonly name: string;
  readonly used: UsedQuota;
}

const COLUMNS: readonly Column<Left>[] = [
  { key: 'quota', title: 'Quota', main: true, cell: ({ name }) => <span class="name">{name}</span> },
  { key: 'who', title: 'Counted as', cell: ({ used }) => <span class="mono">{used.subject}</span> },
  { key: 'used', title: 'Used', numeric: true, cell: ({ used }) => grouped(used.used) },
  { key: 'left', title: 'Left', numeric: true, cell: ({ used }) => grouped(used.remaining) },
];

/** What a client has left of quotas. */
export function ClientQuotas({ id, kind }: { readonly id: string; kind: ClientRow['kind'] }): JSX.Element {
  const quotas = useAnswer<{ readonly quotas: readonly ListedQuota[] }>('quotas');
  return (
    <Panel
      title="Left of quotas"
      note="by the calendar; what limits of a rate have left stands with the routes"
    >
      <Answer of={quotas}>
        {({ quotas: [...all] }) =>
          all.length === 0 ? (
            <Empty title="No route has a quota" />
          ) : (
            <>
              {all.map((one) => (
                <LeftOf key={`${one.name} ${one.routes[0]}`} id={id} kind={kind} quota={one} />
              ))}
            </>
          )
        }
      </Answer>
    </Panel>
  );
}

function LeftOf({
  id,
  kind,
  quota: { name, routes },
}: {
  readonly id: string;
  readonly kind: ClientRow['kind'];
  readonly quota: ListedQuota;
}): JSX.Element {
  const query = queryText({ quota: name, route: routes[0], subject: id, limit: 100 });
  const answered = useAnswer<{ readonly subjects: readonly UsedQuota[] }>(
    `quotas/subjects${query}`,
    EVERY_MS,
  );
  return (
    <Answer of={answered}>
      {({ subjects }) => {
        const mine = subjects.filter((one) => isOf(one.subject, id, kind));
        if (mine.length === 0) return <Empty title={`Nothing of ${name} is used by it as such`} />;
        const rows = mine.map((used) => ({ name, used }));
        return <Table caption={name} columns={COLUMNS} rows={rows} keyOf={({ used }) => used.subject} />;
      }}
    </Answer>
  );
}

// A quota names callers with what they are known by before it: `ip:192.0.2.1`, or an issuer.
function isOf(subject: string, id: string, kind: ClientRow['kind']): boolean {
  return kind === 'address' ? subject === `ip:${id}` : subject === id || subject.endsWith(`:${id}`);
}

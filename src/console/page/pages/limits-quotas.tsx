import type { JSX } from 'preact';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';

/** One of `GET /quotas`: what is said of it are texts and numbers of its own. */
type ListedQuota = Readonly<Record<string, unknown>>;

const COLUMNS: readonly Column<ListedQuota>[] = [
  { key: 'quota', title: 'Quota', main: true, cell: ({ name }) => <span class="name">{String(name)}</span> },
  { key: 'limit', title: 'Limit', cell: ({ limit, window }) => `${String(limit)} a ${String(window)}` },
  { key: 'key', title: 'Counted by', secondary: true, cell: ({ key }) => String(key ?? '–') },
];

/** The quotas of routes. */
export function Quotas(): JSX.Element {
  const answered = useAnswer<{ readonly quotas: readonly ListedQuota[] }>('quotas');
  return (
    <Panel title="Quotas" note="by the calendar">
      <Answer of={answered}>
        {({ quotas }) =>
          quotas.length === 0 ? (
            <Empty title="No route has a quota">
              The policy <code>quota</code> bounds what somebody may ask for in a day or a month.
            </Empty>
          ) : (
            <Table caption="Quotas" columns={COLUMNS} rows={quotas} keyOf={(one) => JSON.stringify(one)} />
          )
        }
      </Answer>
    </Panel>
  );
}

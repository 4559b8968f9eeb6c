import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { queryText } from '../app/address.ts';
import { grouped } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { QuotaUse } from './limits-quota-use.tsx';

/** One of `GET /quotas`. */
export interface ListedQuota {
  readonly name: string;
  readonly key: string;
  readonly window: string;
  readonly timeZone: string;
  readonly limit: number;
  readonly mode: string;
  readonly routes: readonly string[];
}

/** The quotas of routes, and who has used what of one. */
export function Quotas(): JSX.Element {
  const answered = useAnswer<{ readonly quotas: readonly ListedQuota[] }>('quotas');
  const [chosen, choose] = useState<ListedQuota>();
  return (
    <>
      <Panel title="Quotas" note="by the calendar">
        <Answer of={answered}>
          {({ quotas }) =>
            quotas.length === 0 ? (
              <Empty title="No route has a quota">
                The policy <code>quota</code> bounds what somebody may ask for in a day or a month.
              </Empty>
            ) : (
              <Table caption="Quotas" columns={columnsFor(choose)} rows={quotas} keyOf={quotaKey} />
            )
          }
        </Answer>
      </Panel>
      {chosen && <QuotaUse key={quotaKey(chosen)} of={chosen} />}
    </>
  );
}

const quotaKey = ({ name, routes }: ListedQuota): string => queryText({ quota: name, route: routes[0] });

function columnsFor(choose: (one: ListedQuota) => void): readonly Column<ListedQuota>[] {
  return [
    { key: 'quota', title: 'Quota', main: true, cell: ({ name }) => <span class="name">{name}</span> },
    {
      key: 'limit',
      title: 'Limit',
      cell: ({ limit, window, timeZone }) => `${grouped(limit)} requests a ${window} (${timeZone})`,
    },
    { key: 'key', title: 'Counted by', secondary: true, cell: ({ key }) => key },
    { key: 'routes', title: 'Routes', secondary: true, cell: ({ routes }) => routes.join(', ') },
    {
      key: 'use',
      title: 'Use',
      cell: (one) => (
        <button
          type="button"
          class="button small"
          onClick={() => choose(one)}
          aria-label={`Who uses it: ${one.name}`}
        >
          Who uses it
        </button>
      ),
    },
  ];
}

import type { JSX } from 'preact';
import { queryText } from '../app/address.ts';
import { order } from '../data/ask.ts';
import { grouped } from '../data/format.ts';
import { may } from '../data/session.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Act, type Intent } from '../parts/confirm.tsx';
import { Answer, Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Bar } from '../parts/small.tsx';
import { Table, type Column } from '../parts/table.tsx';
import type { ListedQuota } from './limits-quotas.tsx';

const EVERY_MS = 5000;

/** What somebody has used of a quota in the window that runs. */
export interface UsedQuota {
  readonly subject: string;
  readonly used: number;
  readonly remaining: number;
}

interface SubjectsAnswer {
  readonly in?: string;
  readonly resetsAt?: string;
  readonly subjects: readonly UsedQuota[];
  readonly complete: boolean;
}

/** Who has used most of a quota, with what begins it anew. */
export function QuotaUse({ of: { name, routes } }: { readonly of: ListedQuota }): JSX.Element {
  const path = `quotas/subjects${queryText({ quota: name, route: routes[0], sort: 'used', limit: 100 })}`;
  const answered = useAnswer<SubjectsAnswer>(path, EVERY_MS);
  const { value, again } = answered;
  const until =
    value?.resetsAt === undefined ? '' : `, anew at ${value.resetsAt.replace(/:00\.000Z$/, ' UTC')}`;
  return (
    <Panel title={`Use of ${name}`} note={value && `${value.in ?? 'this window'}${until}`}>
      <Answer of={answered}>
        {({ subjects }) =>
          subjects.length === 0 ? (
            <Empty title="Nobody has used any of it">in the window that runs.</Empty>
          ) : (
            <Table
              caption={`Use of ${name}`}
              columns={usedColumns(({ subject }) => resetting(subject, name, again))}
              rows={subjects}
              keyOf={({ subject }) => subject}
            />
          )
        }
      </Answer>
    </Panel>
  );
}

/** Columns of what was used; orders only for those who may give them. */
function usedColumns(intent: (row: UsedQuota) => Intent): readonly Column<UsedQuota>[] {
  const shown: readonly Column<UsedQuota>[] = [
    { key: 'who', title: 'Who', main: true, cell: ({ subject }) => <span class="name mono">{subject}</span> },
    {
      key: 'used',
      title: 'Used',
      numeric: true,
      cell: ({ used, remaining }) => (
        <>
          {grouped(used)}
          <Bar share={used / Math.max(1, used + remaining)} />
        </>
      ),
    },
    { key: 'left', title: 'Left', numeric: true, cell: ({ remaining }) => grouped(remaining) },
  ];
  if (!may('operate')) return shown;
  const orders: Column<UsedQuota> = {
    key: 'orders',
    title: 'Orders',
    cell: (row) => <Act label="Reset" small intent={() => intent(row)} />,
  };
  return [...shown, orders];
}

/** Has a quota of somebody begin anew. */
function resetting(subject: string, quota: string, again: () => void): Intent {
  return {
    title: `Have ${quota} of ${subject} begin anew?`,
    effect: 'What it has used counts as nothing from now on, in all gateways that share the quota.',
    act: 'Reset',
    danger: true,
    fields: (
      <label class="field">
        <span>Reason, for the audit log</span>
        <input name="reason" maxlength={200} />
      </label>
    ),
    run: async (form) => {
      const reason = String(form.get('reason') ?? '');
      await order('POST', 'quotas/reset', { subject, quota, ...(reason !== '' && { reason }) });
      again();
      return `${quota} of ${subject} begins anew.`;
    },
  };
}

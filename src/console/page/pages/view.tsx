import type { JSX } from 'preact';
import type { PartRow, ViewAnswer } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { flowColumns, stateColumn } from '../parts/route-columns.tsx';
import { Runs } from '../parts/runs.tsx';
import { Table, type Column } from '../parts/table.tsx';

const EVERY_MS = 5000;

const COLUMNS: readonly Column<PartRow>[] = [
  { key: 'name', title: 'Section', main: true, cell: ({ name }) => <span class="name">{name}</span> },
  stateColumn(),
  ...flowColumns<PartRow>(),
];

/** One view: its sections, and what a run of it does. */
export function ViewPage({ id }: { readonly id: string }): JSX.Element {
  const answered = useAnswer<ViewAnswer>(`traffic/views/${encodeURIComponent(id)}`, EVERY_MS);
  return (
    <>
      <Head title={id} above={[['GraphQL and views', hrefTo(['graphql'])]]} />
      <Answer of={answered} missing={() => <Empty title={`No view called “${id}” has run`} />}>
        {({ sections, ...runs }) => (
          <div class="stack">
            <Runs {...runs} />
            <Panel title="Sections" note="last minute">
              <Table
                caption={`Sections of ${id}`}
                columns={COLUMNS}
                rows={sections}
                keyOf={({ name }) => name}
              />
            </Panel>
          </div>
        )}
      </Answer>
    </>
  );
}

import type { JSX } from 'preact';
import type { ListAnswer } from '../data/traffic.ts';
import { hrefTo, hrefWith, useAddress } from '../app/address.ts';
import type { ChangeRow } from '../data/order-answers.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Pick } from '../parts/filters.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { When } from '../parts/small.tsx';

const EVERY_MS = 5000;
const KINDS = ['reload', 'order', 'breaker', 'ejection', 'discovery', 'canary', 'certificate', 'start'];

/** One time line of everything that has changed. */
export function ChangesPage(): JSX.Element {
  const { query } = useAddress();
  const kind = query.get('kind') ?? '';
  const answered = useAnswer<ChangesAnswer>('changes?limit=1000', EVERY_MS);
  const options = [['', 'everything'], ...KINDS.map((one) => [one, one] as const)] as const;
  return (
    <>
      <Head title="Changes" />
      <Panel
        title="Time line"
        note="of this process, newest first; other replicas are not in this list"
        actions={<Pick label="Kind" name="kind" value={kind} options={options} />}
      >
        <Answer of={answered} missing={() => <Empty title="This gateway keeps no time line" />}>
          {({ rows }) => (
            <Line rows={newestFirst(rows).filter((row) => kind === '' || row.kind === kind)} kind={kind} />
          )}
        </Answer>
      </Panel>
    </>
  );
}

type ChangesAnswer = Omit<ListAnswer<ChangeRow>, 'total'>;

/** The newest first, however they come. */
export function newestFirst(rows: readonly ChangeRow[]): readonly ChangeRow[] {
  return rows.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

function Line({ rows, kind }: { readonly rows: readonly ChangeRow[]; readonly kind: string }): JSX.Element {
  if (rows.length === 0)
    return (
      <Empty title="Nothing has changed">
        {kind !== '' && <a href={hrefWith({ kind: undefined })}>Show everything</a>}
      </Empty>
    );
  return (
    <ul class="list">
      {rows.map((row, i) => (
        <li key={`${row.at} ${i}`}>
          <When at={row.at} />
          <span class="chip">{row.kind}</span>
          <span class="text">{row.text}</span>
          <span class="end">
            {row.upstream !== undefined && (
              <a href={hrefTo(['upstreams', row.upstream], { target: row.target })}>
                {row.target ?? row.upstream}
              </a>
            )}
            {row.route !== undefined && <a href={hrefTo(['routes', row.route])}>{row.route}</a>}
          </span>
        </li>
      ))}
    </ul>
  );
}

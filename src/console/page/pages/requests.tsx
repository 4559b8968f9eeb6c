import type { JSX } from 'preact';
import type { ExchangesAnswer } from '../data/traffic.ts';
import { hrefWith, queryText, useAddress } from '../app/address.ts';
import { clock, grouped } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Filter } from '../parts/filters.tsx';
import { KeptTable } from '../parts/kept-table.tsx';
import { PAGE_ROWS, Pager } from '../parts/pager.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { Choice } from '../parts/small.tsx';

const EVERY_MS = 5000;
const OUTCOMES = [
  ['', 'All'],
  ['refused', 'Refused'],
  ['failed', 'Failed'],
  ['slow', 'Slow'],
] as const;

/** Requests that are kept: those that were refused, that failed, and the slowest. */
export function RequestsPage(): JSX.Element {
  const { query } = useAddress();
  const [q, outcome, route] = [query.get('q') ?? '', query.get('outcome') ?? '', query.get('route') ?? ''];
  const from = Math.max(0, Number(query.get('from') ?? 0) || 0);
  const asked = queryText({ q, outcome, route, from: from || undefined, limit: PAGE_ROWS });
  const answered = useAnswer<ExchangesAnswer>(`exchanges${asked}`, EVERY_MS);
  const kept = answered.value?.kept;
  const skipped = kept?.skipped ? `; ${grouped(kept.skipped)} came too fast to be kept` : '';
  return (
    <>
      <Head title="Requests" />
      <Panel
        title="Kept requests"
        note={kept && (kept.since === null ? 'none so far' : `since ${clock(kept.since)}${skipped}`)}
        actions={
          <Choice
            label="Outcome"
            options={OUTCOMES}
            current={outcome}
            hrefOf={(key) => hrefWith({ outcome: key, from: undefined })}
          />
        }
      >
        <div class="filters">
          <Filter label="Request id, trace id, path or client" value={q} />
          {route !== '' && (
            <a class="button small" href={hrefWith({ route: undefined, from: undefined })}>
              Only of {route}: show all
            </a>
          )}
        </div>
        <Answer of={answered}>
          {({ rows, total }) =>
            rows.length === 0 ? (
              <Empty title="No such request is kept">
                Refused and failed requests are, and the slowest of each route; the newest 2 000.
              </Empty>
            ) : (
              <>
                <KeptTable caption="Kept requests" rows={rows} sort="all" />
                <Pager total={total} from={from} shown={rows.length} of="kept requests" />
              </>
            )
          }
        </Answer>
      </Panel>
    </>
  );
}

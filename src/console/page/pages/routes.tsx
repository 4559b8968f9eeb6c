import type { JSX } from 'preact';
import type { ListAnswer, RouteRow } from '../data/traffic.ts';
import { hrefWith, queryText, useAddress } from '../app/address.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import type { ConfigAnswer } from '../data/order-answers.ts';
import { useAnswer } from '../data/use-answer.ts';
import { useLiveRoutes } from '../data/use-live-routes.ts';
import { Filter, Pick } from '../parts/filters.tsx';
import { PAGE_ROWS, Pager } from '../parts/pager.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { ROUTE_COLUMNS } from '../parts/route-columns.tsx';
import { Choice } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';

const WINDOWS = [
  ['', '1 min'],
  ['10m', '10 min'],
] as const;
const GROUPS = [
  ['', 'Each route'],
  ['prefix', 'By prefix'],
] as const;

const EVERY_MS = 60_000;

// Nothing to choose from where nobody has a file.
function teamsOf(config: ConfigAnswer | undefined): readonly (readonly [string, string])[] {
  const names = [...new Set(config?.teams?.map(({ team }) => team))];
  return names.length === 0 ? [] : [['', 'All teams'], ...names.map((name) => [name, name] as const)];
}

/** All routes, as many as there are: sorted, found and grouped by the server, a hundred at a time. */
export function RoutesPage(): JSX.Element {
  const { query } = useAddress();
  const [text, sort] = [query.get('q') ?? '', query.get('sort') ?? '-rps'];
  const team = query.get('team') ?? '';
  const q = team === '' ? text : `${text} team:${team}`.trim();
  const teams = teamsOf(useAnswer<ConfigAnswer>('config', EVERY_MS).value);
  const [group, window] = [query.get('group') ?? '', query.get('window') ?? ''];
  const from = Math.max(0, Number(query.get('from') ?? 0) || 0);
  const asked = { q, sort, group, window, from: from || undefined, limit: PAGE_ROWS };
  const answered = useLiveRoutes(`traffic/routes${queryText(asked)}`, {
    q,
    sort,
    from,
    isPlain: group + window === '',
  });
  return (
    <>
      <Head title="Routes" />
      <Panel
        title="All routes"
        note={window === '' ? 'last minute' : 'last 10 minutes'}
        actions={
          <>
            <Choice
              label="Group"
              options={GROUPS}
              current={group}
              hrefOf={(key) => hrefWith({ group: key, from: undefined })}
            />
            <Choice
              label="Window"
              options={WINDOWS}
              current={window}
              hrefOf={(key) => hrefWith({ window: key })}
            />
          </>
        }
      >
        <div class="filters">
          <Filter label="Filter by id, path or upstream" value={text} />
          {teams.length > 0 && <Pick label="Team" name="team" value={team} options={teams} />}
        </div>
        <Answer of={answered}>{(list) => <Rows list={list} sort={sort} from={from} q={q} />}</Answer>
      </Panel>
    </>
  );
}

interface RowsProps {
  readonly list: ListAnswer<RouteRow>;
  readonly sort: string;
  readonly from: number;
  readonly q: string;
}

function Rows({ list: { rows, total }, sort, from, q }: RowsProps): JSX.Element {
  if (rows.length === 0)
    return (
      <Empty title={q === '' ? 'No routes' : `No route has “${q}” in its id, path or upstream`}>
        {q === '' ? (
          'The configuration has none.'
        ) : (
          <a href={hrefWith({ q: undefined, team: undefined })}>Show all</a>
        )}
      </Empty>
    );
  return (
    <>
      <Table caption="Routes" columns={ROUTE_COLUMNS} rows={rows} keyOf={({ id }) => id} sort={sort} />
      <Pager total={total} from={from} shown={rows.length} of="routes" />
    </>
  );
}

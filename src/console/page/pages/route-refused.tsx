import type { JSX } from 'preact';
import type { ExchangesAnswer, RouteAnswer } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { clock, count, grouped } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { KeptTable } from '../parts/kept-table.tsx';
import { Panel } from '../parts/panel.tsx';
import { Bar } from '../parts/small.tsx';

const EVERY_MS = 10_000;

/** Whom a route has refused, why, and each of them with its reason. */
export function RouteRefused({
  id,
  route,
}: {
  readonly id: string;
  readonly route: RouteAnswer;
}): JSX.Element {
  const asked = `exchanges?route=${encodeURIComponent(id)}&outcome=refused&limit=50`;
  const answered = useAnswer<ExchangesAnswer>(asked, EVERY_MS);
  return (
    <div class="stack">
      <Reasons route={route} />
      <Panel title="Refused requests" note="newest first">
        <Answer of={answered}>
          {({ rows, total, kept }) =>
            rows.length === 0 ? (
              <Empty title="No refused request of this route is kept">
                {kept.since === null
                  ? 'None of any route is.'
                  : `Requests are kept since ${clock(kept.since)}.`}
              </Empty>
            ) : (
              <>
                <KeptTable caption="Refused requests of this route" rows={rows} sort="refused" />
                <p class="pager">
                  {grouped(rows.length)} of {grouped(total)} kept
                  <a href={hrefTo(['requests'], { route: id, outcome: 'refused' })}>All</a>
                </p>
              </>
            )
          }
        </Answer>
      </Panel>
    </div>
  );
}

function Reasons({ route: { refusals, refusalsSince } }: { readonly route: RouteAnswer }): JSX.Element {
  const most = Math.max(1, ...refusals.map(({ count: one }) => one));
  return (
    <Panel title="Why" note={`since ${clock(refusalsSince)}`}>
      {refusals.length === 0 ? (
        <Empty title="Nothing was refused here" />
      ) : (
        <table>
          <caption class="hidden">Reasons of refusals</caption>
          <thead>
            <tr>
              <th scope="col">Code</th>
              <th scope="col">Stage</th>
              <th scope="col" class="numeric">
                Requests
              </th>
            </tr>
          </thead>
          <tbody>
            {refusals.map(({ code, stage, count: many }) => (
              <tr key={code + stage} class="row">
                <th scope="row">
                  <code>{code}</code>
                </th>
                <td>{stage}</td>
                <td class="numeric">
                  {count(many)}
                  <Bar share={many / most} tone="warn" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

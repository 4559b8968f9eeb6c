import type { JSX } from 'preact';
import type { OverviewAnswer, RouteRow } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { count } from '../data/format.ts';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';

/** How many rows are shown; the list of all routes has the others. */
const SHOWN = 5;

/** A list of the worst routes by one measure. */
export interface WorstOf {
  readonly title: string;
  /** By which all routes are listed. */
  readonly sort: string;
  readonly empty: string;
  rows(traffic: OverviewAnswer): readonly RouteRow[];
  value(row: RouteRow): string;
  readonly unit: string;
}

/** The worst routes by one measure, worst first. */
export function Worst({
  of,
  traffic,
}: {
  readonly of: WorstOf;
  readonly traffic: OverviewAnswer;
}): JSX.Element {
  const rows = of.rows(traffic).slice(0, SHOWN);
  const actions = (
    <a
      href={hrefTo(['routes'], { sort: of.sort })}
      aria-label={`All routes, ${of.title.toLowerCase()} first`}
    >
      All
    </a>
  );
  return (
    <Panel title={of.title} note="last minute" actions={actions}>
      {rows.length === 0 ? (
        <Empty title={of.empty} />
      ) : (
        <table>
          <caption class="hidden">{of.title} routes</caption>
          <thead class="hidden">
            <tr>
              <th scope="col">Route</th>
              <th scope="col">Requests a second</th>
              <th scope="col">{of.unit}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id} class="row">
                <th scope="row" class="main wide">
                  <a
                    class="name"
                    href={hrefTo(['routes', row.id], of.sort === '-refusedRate' ? { tab: 'refused' } : {})}
                  >
                    {row.id}
                  </a>
                  <span class="under">
                    {row.methods} {row.path}
                  </span>
                </th>
                <td class="numeric quiet">{count(row.rps)}/s</td>
                <td class="numeric">
                  <strong>{of.value(row)}</strong>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

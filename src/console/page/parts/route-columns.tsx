import type { FlowNumbers, RouteRow } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { count, duration, percent } from '../data/format.ts';
import { Flow } from './state.tsx';
import type { Column } from './table.tsx';

/** The columns of numbers that routes, upstreams, targets and operations share. */
export function flowColumns<Row extends FlowNumbers>(): readonly Column<Row>[] {
  return [
    { key: 'rps', title: 'Requests/s', numeric: true, sort: '-rps', cell: ({ rps }) => count(rps) },
    {
      key: 'errors',
      title: 'Failed',
      numeric: true,
      sort: '-errorRate',
      cell: ({ errorRate }) => <span class={errorRate > 0.01 ? 'bad-text' : ''}>{percent(errorRate)}</span>,
    },
    {
      key: 'p50',
      title: 'p50',
      numeric: true,
      secondary: true,
      sort: '-p50',
      cell: ({ p50 }) => duration(p50),
    },
    { key: 'p95', title: 'p95', numeric: true, sort: '-p95', cell: ({ p95 }) => duration(p95) },
    {
      key: 'p99',
      title: 'p99',
      numeric: true,
      secondary: true,
      sort: '-p99',
      cell: ({ p99 }) => duration(p99),
    },
  ];
}

/** A column with the state of the traffic. */
export function stateColumn<Row extends FlowNumbers>(): Column<Row> {
  return { key: 'state', title: 'State', cell: ({ state }) => <Flow is={state} /> };
}

/** The columns of a list of routes. */
export const ROUTE_COLUMNS: readonly Column<RouteRow>[] = [
  {
    key: 'id',
    title: 'Route',
    main: true,
    sort: 'id',
    cell: ({ id, methods, path, members }) => (
      <>
        <a class="name" href={members === undefined ? hrefTo(['routes', id]) : hrefTo(['routes'], { q: id })}>
          {id}
        </a>
        <span class="under">{members === undefined ? `${methods} ${path}` : `${members} routes`}</span>
      </>
    ),
  },
  stateColumn(),
  ...flowColumns<RouteRow>(),
  {
    key: 'refused',
    title: 'Refused',
    numeric: true,
    secondary: true,
    sort: '-refusedRate',
    cell: ({ refusedRate }) => percent(refusedRate),
  },
  {
    key: 'upstream',
    title: 'Upstream',
    secondary: true,
    sort: 'upstream',
    cell: ({ upstream }) =>
      upstream === '' ? (
        <span class="quiet">none</span>
      ) : (
        <a href={hrefTo(['upstreams', upstream])}>{upstream}</a>
      ),
  },
];

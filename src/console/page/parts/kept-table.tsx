import type { JSX } from 'preact';
import type { Kept } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { duration } from '../data/format.ts';
import { State, type Gravity } from './state.tsx';
import { Table, type Column } from './table.tsx';
import { When } from './small.tsx';

/** How serious it is that a request is kept. */
export function keptGravity({ outcome }: Pick<Kept, 'outcome'>): Gravity {
  // The slowest of a route need not be slow.
  return { refused: 'warn', failed: 'bad', slow: 'info', sample: 'info' }[outcome] as Gravity;
}

const COLUMNS: Readonly<
  Record<'at' | 'request' | 'status' | 'why' | 'client' | 'route' | 'took', Column<Kept>>
> = {
  at: { key: 'at', title: 'At', numeric: false, cell: ({ at }) => <When at={at} /> },
  request: {
    key: 'request',
    title: 'Request',
    main: true,
    cell: ({ id, method, path }) => (
      <a class="name mono" title={`${method} ${path}`} href={hrefTo(['requests', id])}>
        {method} {path}
      </a>
    ),
  },
  status: {
    key: 'status',
    title: 'Outcome',
    cell: (kept) => <State is={keptGravity(kept)}>{`${kept.outcome} ${kept.status}`}</State>,
  },
  why: {
    key: 'why',
    title: 'Why',
    secondary: true,
    cell: ({ reason }) => <span class="reason-cell">{reason}</span>,
  },
  client: {
    key: 'client',
    title: 'Client',
    secondary: true,
    cell: ({ principal, client }) => <span class="mono">{principal ?? client}</span>,
  },
  route: {
    key: 'route',
    title: 'Route',
    secondary: true,
    cell: ({ route }) => <a href={hrefTo(['routes', route])}>{route}</a>,
  },
  took: { key: 'took', title: 'Took', numeric: true, cell: ({ ms }) => duration(ms) },
};

const { at, request, status, why, client, route, took } = COLUMNS;
const SETS = {
  slow: [at, request, status, client, took],
  refused: [at, request, status, why, client],
  all: [at, request, status, why, route, client, took],
} as const;

/** Requests that are kept, with what is wanted of them. */
export function KeptTable({
  caption,
  rows,
  sort,
}: {
  readonly caption: string;
  readonly rows: readonly Kept[];
  readonly sort: keyof typeof SETS;
}): JSX.Element {
  return <Table caption={caption} columns={SETS[sort]} rows={rows} keyOf={({ id }) => id} />;
}

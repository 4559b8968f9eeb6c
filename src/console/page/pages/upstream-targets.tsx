import type { JSX } from 'preact';
import type { TargetRow } from '../data/traffic.ts';
import { ago, clock, count, duration } from '../data/format.ts';
import type { HealthAnswer, ShownOrder, TargetHealth } from '../data/order-answers.ts';
import { may } from '../data/session.ts';
import { Act } from '../parts/confirm.tsx';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { flowColumns } from '../parts/route-columns.tsx';
import { Bar } from '../parts/small.tsx';
import { State } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { targetIntents } from './target-intents.tsx';

interface TargetsProps {
  readonly upstream: string;
  readonly rows: readonly TargetRow[];
  readonly health: HealthAnswer | undefined;
  /** The one that the address points to. */
  readonly marked: string;
  again(): void;
}

/** A target with what traffic and health say of it. */
export interface WholeTarget extends TargetRow {
  readonly health: TargetHealth | undefined;
}

/** The targets of an upstream, each with what can be done to it. */
export function Targets({ upstream, rows, health, marked, again }: TargetsProps): JSX.Element {
  const whole = rows.map((row) => ({
    ...row,
    health: health?.targets.find(({ target }) => target === row.target),
  }));
  const weights = whole.reduce((sum, { weight, available }) => sum + (available ? weight : 0), 0);
  const columns = [
    ...columnsFor(marked, weights),
    ...(may('operate') ? [orders(upstream, whole, again)] : []),
  ];
  const left = whole.filter(({ available }) => available).length;
  return (
    <Panel title="Targets" note={`${left} of ${rows.length} can be asked`}>
      {rows.length === 0 ? (
        <Empty title="No target is known">Discovery has not found any.</Empty>
      ) : (
        <Table
          caption={`Targets of ${upstream}`}
          columns={columns}
          rows={whole}
          keyOf={({ target }) => target}
        />
      )}
    </Panel>
  );
}

function columnsFor(marked: string, weights: number): readonly Column<WholeTarget>[] {
  const share = ({ weight, available }: WholeTarget): number =>
    available && weights > 0 ? weight / weights : 0;
  return [
    {
      key: 'target',
      title: 'Target',
      main: true,
      cell: (row) => (
        <>
          <span class={row.target === marked ? 'name mono marked' : 'name mono'}>{row.target}</span>
          <span class="under">{labelsOf(row.health)}</span>
        </>
      ),
    },
    { key: 'state', title: 'State', cell: (row) => <Health row={row} /> },
    { key: 'breaker', title: 'Breaker', secondary: true, cell: ({ health }) => <Breaker of={health} /> },
    {
      key: 'weight',
      title: 'Weight',
      numeric: true,
      secondary: true,
      cell: (row) => (
        <>
          {row.weight}
          <Bar share={share(row)} />
          {row.health?.weightOrder && (
            <span class="under wraps">{`ordered, ${row.health.weightOrder.configured} configured`}</span>
          )}
          <Ordered is={row.health?.weightOrder} />
        </>
      ),
    },
    {
      key: 'inFlight',
      title: 'In flight',
      numeric: true,
      secondary: true,
      cell: ({ inFlight }) => count(inFlight),
    },
    ...flowColumns<WholeTarget>().filter(({ key }) => key !== 'p50' && key !== 'p99'),
  ];
}

function labelsOf(health: TargetHealth | undefined): string {
  return Object.entries(health?.labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function Health({ row: { available, why, health } }: { readonly row: WholeTarget }): JSX.Element {
  const since = health?.probes && !available ? `, ${ago(health.probes.since)}` : '';
  return (
    <>
      <State is={available ? (why === null ? 'good' : 'warn') : 'bad'}>
        {available ? 'available' : 'not available'}
      </State>
      {why !== null && (
        <span class="under wraps">
          {why}
          {since}
        </span>
      )}
      <Ordered is={health?.ejection} />
    </>
  );
}

function Breaker({ of }: { readonly of: TargetHealth | undefined }): JSX.Element {
  const breaker = of?.breaker;
  if (breaker === undefined) return <span class="quiet">none</span>;
  const { state, cause, openForMs } = breaker;
  const gravity = ({ closed: 'good', open: 'bad', 'half-open': 'warn' } as const)[state];
  const until = openForMs === undefined ? '' : `, for ${duration(openForMs)}`;
  return (
    <>
      <State is={gravity}>{state}</State>
      {cause !== undefined && <span class="under wraps">{cause + until}</span>}
      <Ordered is={of?.breakerOrder} />
    </>
  );
}

/** Who has ordered something, until when, and why. */
function Ordered({ is }: { readonly is: ShownOrder | undefined }): JSX.Element | null {
  if (is === undefined) return null;
  const { by = 'an operator', until, reason } = is;
  return (
    <span class="under wraps">
      by {by}
      {until === undefined ? '' : ` until ${clock(until)}`}
      {reason !== undefined && `: ${reason}`}
    </span>
  );
}

function orders(upstream: string, all: readonly WholeTarget[], again: () => void): Column<WholeTarget> {
  return {
    key: 'orders',
    title: 'Orders',
    cell: (row) => (
      <span class="toolbar pairs">
        {targetIntents(upstream, row, all, again).map(({ label, intent }) => (
          <Act key={label} label={label} small intent={() => intent} />
        ))}
      </span>
    ),
  };
}

import type { JSX } from 'preact';
import type { ListAnswer } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import type { RolloutAnswer } from '../data/order-answers.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { State, type Gravity } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { rowsOf } from './route-policies.tsx';

const EVERY_MS = 5000;

/** How serious the status of a rollout is. */
export const ROLLOUT_GRAVITY: Readonly<Record<RolloutAnswer['status'], Gravity>> = {
  running: 'info',
  paused: 'warn',
  promoted: 'good',
  aborted: 'bad',
};

const COLUMNS: readonly Column<RolloutAnswer>[] = [
  {
    key: 'route',
    title: 'Route',
    main: true,
    cell: ({ route }) => (
      <a class="name" href={hrefTo(['canaries', route])}>
        {route}
      </a>
    ),
  },
  {
    key: 'status',
    title: 'Status',
    cell: ({ status }) => <State is={ROLLOUT_GRAVITY[status]}>{status}</State>,
  },
  { key: 'weight', title: 'At the canary', numeric: true, cell: ({ weight }) => weight },
  {
    key: 'step',
    title: 'Step',
    numeric: true,
    secondary: true,
    cell: ({ step, steps }) => (step === undefined ? '–' : `${step} of ${steps.length}`),
  },
  { key: 'reason', title: 'Why', secondary: true, cell: ({ reason }) => reason },
];

/** The rollouts of routes with a canary. */
export function CanariesPage(): JSX.Element {
  const answered = useAnswer<readonly RolloutAnswer[] | ListAnswer<RolloutAnswer>>('canaries', EVERY_MS);
  return (
    <>
      <Head title="Canaries" />
      <Panel title="Rollouts">
        <Answer of={answered}>
          {(list) =>
            rowsOf(list).length === 0 ? (
              <Empty title="No canary runs">
                <code>canary: {'{ to: { track: canary }, weight: 5% }'}</code> of a route declares one.
              </Empty>
            ) : (
              <Table caption="Rollouts" columns={COLUMNS} rows={rowsOf(list)} keyOf={({ route }) => route} />
            )
          }
        </Answer>
      </Panel>
    </>
  );
}

import type { JSX } from 'preact';
import { hrefTo } from '../app/address.ts';
import { order } from '../data/ask.ts';
import { clock } from '../data/format.ts';
import type { ConfigAnswer, Generation, HistoryAnswer } from '../data/order-answers.ts';
import { may } from '../data/session.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Act, type Intent } from '../parts/confirm.tsx';
import { Answer, Empty } from '../parts/empty.tsx';
import { Faults } from '../parts/faults.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { Facts, When } from '../parts/small.tsx';
import { State, type Gravity } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { rollingBack } from './rollback.ts';

const EVERY_MS = 5000;

/** How serious it is what became of a configuration. */
export const OUTCOME_GRAVITY: Readonly<Record<Generation['outcome'], Gravity>> = {
  'in-force': 'good',
  replaced: 'idle',
  refused: 'bad',
};

/** The configuration in force, what was wrong with the last one, and those before. */
export function ConfigPage(): JSX.Element {
  const config = useAnswer<ConfigAnswer>('config', EVERY_MS);
  const history = useAnswer<HistoryAnswer>('config/history', EVERY_MS);
  const again = (): void => {
    config.again();
    history.again();
  };
  const faults = config.value?.lastReload?.faults ?? [];
  return (
    <>
      <Head
        title="Configuration"
        actions={may('operate') && <Act label="Reload" intent={() => reloading(again)} />}
      />
      <div class="stack">
        {faults.length > 0 && (
          <Panel
            title="Why the last reload was refused"
            note={faults.length === 1 ? 'one fault' : `${faults.length} faults`}
          >
            <Faults faults={faults} />
          </Panel>
        )}
        {config.value?.leftOut?.map(({ team, file, serves, faults: why }) => (
          <Panel
            key={file}
            title={`The file of ${team} is left out`}
            note={serves === 'last-good' ? 'what it said before is in force' : 'nothing of it is in force'}
          >
            <Faults faults={why} />
          </Panel>
        ))}
        <Panel title="In force" padded>
          <Answer of={config}>{(value) => <InForce config={value} />}</Answer>
        </Panel>
        <Panel title="History" note="of this process, newest first">
          <Answer of={history} missing={() => <Empty title="This gateway keeps no history" />}>
            {({ rows, total }) => <History rows={rows} total={total} again={again} />}
          </Answer>
        </Panel>
      </div>
    </>
  );
}

function InForce({ config }: { readonly config: ConfigAnswer }): JSX.Element {
  const { file, loadedAt, held, lastReload, differs, generation, teams } = config;
  return (
    <Facts
      facts={[
        ['File', <code key="file">{file}</code>],
        ['Teams', teams && [...new Set(teams.map(({ team }) => team))].join(', ')],
        ['Generation', generation],
        ['Since', <When key="since" at={loadedAt} />],
        [
          'Same as file',
          differs === undefined ? undefined : (
            <State is={differs ? 'warn' : 'good'}>{differs ? 'no' : 'yes'}</State>
          ),
        ],
        [
          'Last reload',
          lastReload && `${lastReload.outcome}, by ${lastReload.trigger} at ${clock(lastReload.at)}`,
        ],
        [
          'Held',
          held > 1 && `${held} configurations: requests and sockets that began before go on under theirs`,
        ],
      ]}
    />
  );
}

interface HistoryProps {
  readonly rows: readonly Generation[];
  readonly total: number;
  again(): void;
}

function History({ rows, total, again }: HistoryProps): JSX.Element {
  if (total <= 1 && rows.every(({ outcome }) => outcome === 'in-force'))
    return <Empty title="One configuration since the start" />;
  const current = rows.find(({ outcome }) => outcome === 'in-force')?.generation;
  return (
    <Table
      caption="Configurations"
      columns={columnsFor(current, again)}
      rows={rows}
      keyOf={({ generation, at }) => `${generation} ${at}`}
    />
  );
}

function columnsFor(current: number | undefined, again: () => void): readonly Column<Generation>[] {
  return [
    {
      key: 'generation',
      title: 'Generation',
      cell: ({ generation }) => (
        <a
          href={hrefTo(['config', String(generation)], {
            against: current === generation ? undefined : current,
          })}
        >
          {generation}
        </a>
      ),
    },
    {
      key: 'outcome',
      title: 'Outcome',
      cell: ({ outcome }) => <State is={OUTCOME_GRAVITY[outcome]}>{outcome.replace('-', ' ')}</State>,
    },
    { key: 'at', title: 'At', cell: ({ at }) => <When at={at} /> },
    { key: 'cause', title: 'By', secondary: true, cell: ({ cause, by }) => (by ? `${cause}, ${by}` : cause) },
    {
      key: 'summary',
      title: 'Changes',
      main: true,
      cell: (row) => <span class="name">{summaryText(row)}</span>,
    },
    {
      key: 'orders',
      title: 'Orders',
      cell: (row) =>
        row.outcome === 'replaced' &&
        may('operate') && <Act label="Roll back" small intent={() => rollingBack(row, again)} />,
    },
  ];
}

/** What a configuration has changed, in a few words. */
export function summaryText({ summary, faults }: Pick<Generation, 'summary' | 'faults'>): string {
  if (faults && faults.length > 0) return faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  if (summary === undefined) return '–';
  const parts = Object.entries(summary).filter(([, many]) => many > 0);
  return parts.length === 0 ? 'nothing' : parts.map(([name, many]) => `${many} ${name}`).join(', ');
}

function reloading(again: () => void): Intent {
  return {
    title: 'Reload the configuration?',
    effect: 'The file is read and put into force. One with a fault changes nothing.',
    act: 'Reload',
    run: async () => {
      await order('POST', 'config/reload');
      again();
      return 'The configuration was reloaded.';
    },
  };
}

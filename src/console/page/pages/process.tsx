import type { JSX } from 'preact';
import type { OverviewAnswer } from '../data/traffic.ts';
import { ROOT } from '../app/address.ts';
import { bytes, count, duration, percent } from '../data/format.ts';
import { may } from '../data/session.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Act } from '../parts/confirm.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { Facts, Figures, When } from '../parts/small.tsx';
import { State } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { changingLevel, resettingLevel, restarting, type LevelAnswer } from './process-intents.tsx';

const EVERY_MS = 5000;

interface WorkersAnswer {
  readonly wanted: number;
  readonly workers: readonly Worker[];
}

interface Worker {
  readonly worker: number;
  readonly pid: number;
  readonly state: string;
  readonly startedAt: string;
}

const COLUMNS: readonly Column<Worker>[] = [
  { key: 'worker', title: 'Worker', main: true, cell: ({ worker }) => worker },
  {
    key: 'state',
    title: 'State',
    cell: ({ state }) => <State is={state === 'serving' ? 'good' : 'warn'}>{state}</State>,
  },
  { key: 'pid', title: 'Process', numeric: true, cell: ({ pid }) => pid },
  { key: 'started', title: 'Started', cell: ({ startedAt }) => <When at={startedAt} /> },
];

/** The process: how it is, its log, its workers, and all that is needed to ask for help. */
export function ProcessPage(): JSX.Element {
  const traffic = useAnswer<OverviewAnswer>('traffic', EVERY_MS);
  return (
    <>
      <Head title="Process" />
      <div class="stack">
        <Answer of={traffic} missing={() => <Empty title="This gateway keeps no history of its traffic" />}>
          {(answer) => <Numbers of={answer} />}
        </Answer>
        <div class="columns two">
          <Log />
          <Downloads />
        </div>
        <Workers />
      </div>
    </>
  );
}

function Log(): JSX.Element {
  const level = useAnswer<LevelAnswer>('log-level', EVERY_MS);
  const orders = may('operate') && <LevelOrders level={level.value} again={level.again} />;
  return (
    <Panel title="Log" actions={orders} padded>
      <Answer of={level}>
        {({ level: now, until, configured }) => (
          <Facts
            facts={[
              ['Level', <strong>{now}</strong>],
              ['Until', until && <When at={until} />],
              ['Usually', configured],
            ]}
          />
        )}
      </Answer>
    </Panel>
  );
}

function Downloads(): JSX.Element {
  const file = (name: string): JSX.Element => (
    <a class="in-text" href={ROOT + name} download>
      {name}
    </a>
  );
  return (
    <Panel title="To take along" padded>
      <Facts
        facts={[
          [
            'Support bundle',
            <>{file('support-bundle')}: configuration, state and metrics, without secrets</>,
          ],
          ['Operations', <>{file('openapi.json')}: all that this listener does, for machines</>],
          ['Metrics', <>{file('metrics')}: in the format of Prometheus</>],
        ]}
      />
    </Panel>
  );
}

function Workers(): JSX.Element {
  const workers = useAnswer<WorkersAnswer>('workers', EVERY_MS);
  const restart = may('operate') && (
    <Act label="Restart one after the other" small intent={() => restarting(workers.again)} />
  );
  return (
    <Panel title="Workers" actions={restart}>
      <Answer of={workers}>
        {(answer) => (
          <Table caption="Workers" columns={COLUMNS} rows={answer.workers} keyOf={({ pid }) => String(pid)} />
        )}
      </Answer>
    </Panel>
  );
}

function LevelOrders({
  level,
  again,
}: {
  readonly level: LevelAnswer | undefined;
  again(): void;
}): JSX.Element {
  return (
    <>
      <Act label="Change" small intent={() => changingLevel(again)} />
      {level?.until !== undefined && <Act label="Go back" small intent={() => resettingLevel(again)} />}
    </>
  );
}

function Numbers({ of: { process, startedAt, at } }: { readonly of: OverviewAnswer }): JSX.Element {
  const { loopDelayMs, cpu, rssBytes, heapUsedBytes, inFlight } = process;
  return (
    <Figures
      figures={[
        {
          title: 'Event loop',
          value: duration(loopDelayMs),
          unit: 'late, p99',
          ...(loopDelayMs > 100 && { tone: 'bad' }),
        },
        { title: 'CPU', value: percent(cpu), unit: 'of a core' },
        { title: 'Memory', value: bytes(rssBytes) },
        { title: 'Heap', value: bytes(heapUsedBytes), unit: 'in use' },
        { title: 'In flight', value: count(inFlight) },
        { title: 'Up', value: duration(new Date(at).getTime() - new Date(startedAt).getTime()) },
      ]}
    />
  );
}

import type { JSX } from 'preact';
import type { Kept, WaterfallBar } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { clock, duration } from '../data/format.ts';
import { Empty } from './empty.tsx';
import { KeptTable } from './kept-table.tsx';
import { Panel } from './panel.tsx';
import { Waterfall } from './waterfall.tsx';

interface RunsProps {
  readonly waterfall: readonly WaterfallBar[] | null;
  readonly run: Kept | null;
  readonly runs: readonly Kept[];
}

/** The newest run that was watched, as a waterfall, and the others. */
export function Runs({ waterfall, run, runs }: RunsProps): JSX.Element {
  return (
    <>
      <Panel
        title="A run"
        note={run ? `${clock(run.at)}, took ${duration(run.ms)}` : undefined}
        actions={run && <a href={hrefTo(['requests', run.id])}>Open the request</a>}
      >
        {waterfall === null ? (
          <Empty title="No run is kept">The next one that is watched is.</Empty>
        ) : (
          <Waterfall bars={waterfall} />
        )}
      </Panel>
      {runs.length > 0 && (
        <Panel title="Kept runs">
          <KeptTable caption="Kept runs" rows={runs} sort="slow" />
        </Panel>
      )}
    </>
  );
}

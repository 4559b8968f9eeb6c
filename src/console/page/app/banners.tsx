import type { JSX } from 'preact';
import type { OverviewAnswer } from '../data/traffic.ts';
import type { ChangeRow, ConfigAnswer } from '../data/order-answers.ts';
import { marks } from '../data/marks.ts';
import { useStore } from '../data/store.ts';
import { isStreamLost, streamRefusal } from '../data/stream.ts';
import { clock } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Icon } from '../parts/icon.tsx';
import { Workers } from '../parts/workers.tsx';
import { hrefTo } from './address.ts';
import { overview } from './nav.tsx';
import { useEffect } from 'preact/hooks';

const EVERY_MS = 10_000;
/** As far back as the longest curves. */
const CHANGES = 'changes?since=2h&limit=100';

/** What every page says first: a reload that has failed, and a configuration that is not the file's. */
export function Banners(): JSX.Element {
  const { value: config } = useAnswer<ConfigAnswer>('config', EVERY_MS);
  const { value: traffic } = useAnswer<OverviewAnswer>('traffic', EVERY_MS);
  const { value: changes } = useAnswer<{ readonly rows: readonly ChangeRow[] }>(CHANGES, EVERY_MS);
  const hasNoStream = useStore(isStreamLost);
  const why = useStore(streamRefusal);
  useEffect(() => overview.set(traffic), [traffic]);
  useEffect(() => changes && marks.join(changes.rows), [changes]);
  const last = config?.lastReload;
  const faults = last?.faults.length ?? 0;
  return (
    <>
      {hasNoStream && (
        <div class="banner warn" role="alert">
          <Icon name="warn" />
          <span>
            The live stream could not be opened: {why === '' ? 'there may be too many already' : why}. What is
            shown is asked for every 15 s; the stream is tried again every 10 s.
          </span>
        </div>
      )}
      <Workers of={traffic?.worker} />
      {faults > 0 && last && (
        <div class="banner" role="alert">
          <Icon name="bad" />
          <span>
            The reload at {clock(last.at)} was refused: {faults === 1 ? 'one fault' : `${faults} faults`}. The
            configuration before it is in force. <a href={hrefTo(['config'])}>See what is wrong</a>
          </span>
        </div>
      )}
      {config?.differs === true && faults === 0 && (
        <div class="banner warn" role="alert">
          <Icon name="warn" />
          <span>
            What is in force is not what {config.file} says: a restart would take the file.{' '}
            <a href={hrefTo(['config'])}>Compare</a>
          </span>
        </div>
      )}
    </>
  );
}

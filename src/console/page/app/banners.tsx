import type { JSX } from 'preact';
import type { OverviewAnswer } from '../data/traffic.ts';
import type { ConfigAnswer } from '../data/order-answers.ts';
import { clock } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Icon } from '../parts/icon.tsx';
import { hrefTo } from './address.ts';
import { overview } from './nav.tsx';
import { useEffect } from 'preact/hooks';

const EVERY_MS = 10_000;

/** What every page says first: a reload that has failed, and a configuration that is not the file's. */
export function Banners(): JSX.Element {
  const { value: config } = useAnswer<ConfigAnswer>('config', EVERY_MS);
  const { value: traffic } = useAnswer<OverviewAnswer>('traffic', EVERY_MS);
  useEffect(() => overview.set(traffic), [traffic]);
  const last = config?.lastReload;
  const faults = last?.faults.length ?? 0;
  return (
    <>
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

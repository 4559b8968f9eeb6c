import type { JSX } from 'preact';
import { hrefTo } from '../app/address.ts';
import { marks } from '../data/marks.ts';
import { useStore } from '../data/store.ts';
import { Panel } from './panel.tsx';
import { When } from './small.tsx';

const SHOWN = 8;

/** What has happened of late; the lines in the charts stand for it. */
export function Marks(): JSX.Element | null {
  const happened = useStore(marks.store);
  if (happened.length === 0) return null;
  return (
    <Panel title="What has happened" actions={<a href={hrefTo(['changes'])}>All changes</a>}>
      <ul class="list">
        {happened
          .slice(-SHOWN)
          .toReversed()
          .map(({ at, kind, text, over }) => (
            <li key={at + text}>
              <When at={at} />
              <span class="text">{text}</span>
              <span class="end quiet">{over ? `${kind}, over` : kind}</span>
            </li>
          ))}
      </ul>
    </Panel>
  );
}

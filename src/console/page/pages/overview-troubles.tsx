import type { JSX } from 'preact';
import type { OverviewAnswer, Trouble } from '../data/traffic.ts';
import { hrefBelow, hrefTo } from '../app/address.ts';
import { ago, clock } from '../data/format.ts';
import { State, type Gravity } from '../parts/state.tsx';
import { Panel } from '../parts/panel.tsx';

const GRAVITY: Readonly<Record<Trouble['kind'], Gravity>> = {
  target: 'bad',
  breaker: 'bad',
  reload: 'bad',
  store: 'bad',
  certificate: 'warn',
  discovery: 'warn',
};

/** What is not as it should be, each with where to look; or since when all is. */
export function Troubles({ traffic }: { readonly traffic: OverviewAnswer }): JSX.Element {
  const { trouble, troubles, startedAt } = traffic;
  if (troubles === 0)
    return (
      <p class="panel all-well">
        <State is="good">No trouble</State>
        <span class="quiet">
          Targets, breakers, configuration, certificates and store are well; this process runs since{' '}
          {clock(startedAt)}.
        </span>
      </p>
    );
  const more = troubles - trouble.length;
  return (
    <Panel title="Trouble" note={troubles === 1 ? 'one thing' : `${troubles} things`}>
      <ul class="list">
        {trouble.map(({ kind, text, since, href }) => (
          <li key={`${kind} ${text}`}>
            <State is={GRAVITY[kind]}>{kind}</State>
            <a class="text" href={hrefBelow(href)}>
              {text}
            </a>
            <span class="end quiet" title={since}>
              {ago(since)}
            </span>
          </li>
        ))}
        {more > 0 && (
          <li>
            <a href={hrefTo(['upstreams'], { sort: 'available' })}>{more} more</a>
          </li>
        )}
      </ul>
    </Panel>
  );
}

import type { JSX } from 'preact';
import type { OverviewAnswer } from '../data/traffic.ts';
import { may, type Role } from '../data/session.ts';
import { storeOf, useStore } from '../data/store.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { hrefTo, useAddress } from './address.ts';

interface Entry {
  readonly title: string;
  readonly icon: IconName;
  readonly path: string;
  /** Shown only to those who may do something there. */
  readonly role?: Role;
}

const GROUPS: readonly (readonly [title: string, entries: readonly Entry[]])[] = [
  [
    'Traffic',
    [
      { title: 'Overview', icon: 'overview', path: '' },
      { title: 'Routes', icon: 'routes', path: 'routes' },
      { title: 'Upstreams', icon: 'upstreams', path: 'upstreams' },
      { title: 'GraphQL', icon: 'graphql', path: 'graphql' },
      { title: 'Limits', icon: 'limits', path: 'limits' },
      { title: 'Requests', icon: 'requests', path: 'requests' },
    ],
  ],
  [
    'Change',
    [
      { title: 'Canaries', icon: 'canaries', path: 'canaries' },
      { title: 'Configuration', icon: 'config', path: 'config' },
      { title: 'Changes', icon: 'changes', path: 'changes' },
      { title: 'Explain', icon: 'explain', path: 'explain' },
    ],
  ],
  [
    'Gateway',
    [
      { title: 'Access', icon: 'access', path: 'access', role: 'admin' },
      { title: 'Process', icon: 'process', path: 'process' },
    ],
  ],
];

/** Whether the navigation is open where there is no room beside it. */
export const isNavOpen = storeOf(false);
/** The last overview, for what every page shows of it. */
export const overview = storeOf<OverviewAnswer | undefined>(undefined);

/** The navigation of all pages. */
export function Nav(): JSX.Element {
  const isOpen = useStore(isNavOpen);
  const troubles = useStore(overview)?.troubles ?? 0;
  const { path } = useAddress();
  const current = path[0] ?? '';
  const here = current === 'views' ? 'graphql' : current === 'clients' ? 'limits' : current;
  return (
    <nav class={isOpen ? 'nav open' : 'nav'} aria-label="Pages" onClick={() => isNavOpen.set(false)}>
      <a class="brand" href={hrefTo([])}>
        <Mark />
        Gatehouse
      </a>
      {GROUPS.map(([title, entries]) => (
        <div key={title}>
          <h2>{title}</h2>
          <ul>
            {entries
              .filter(({ role }) => role === undefined || may(role))
              .map(({ title: name, icon, path: to }) => (
                <li key={to}>
                  <a href={hrefTo(to === '' ? [] : [to])} aria-current={to === here ? 'page' : undefined}>
                    <Icon name={icon} />
                    {name}
                    {to === '' && troubles > 0 && (
                      <span class="count">
                        {troubles}
                        <span class="hidden"> in trouble</span>
                      </span>
                    )}
                  </a>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** The mark of the house. */
export function Mark(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <rect class="mark-ground" width="32" height="32" rx="7" />
      <path
        class="mark-gate"
        d="M8 25V13.5C8 9.4 11.6 6 16 6s8 3.4 8 7.5V25h-5v-9.5c0-1.7-1.3-3-3-3s-3 1.3-3 3V25z"
      />
    </svg>
  );
}

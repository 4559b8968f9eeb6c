import type { JSX } from 'preact';
import { useEffect, useReducer } from 'preact/hooks';
import { life, lifeText } from '../data/life.ts';
import { session, signOut } from '../data/session.ts';
import { useStore } from '../data/store.ts';
import { Icon } from '../parts/icon.tsx';
import { State, type Gravity } from '../parts/state.tsx';
import { isNavOpen } from './nav.tsx';
import { Search } from './search.tsx';
import { nextTheme, theme } from './theme.ts';

const GRAVITY = { waiting: 'idle', live: 'good', paused: 'warn', stale: 'bad' } as const satisfies Record<
  string,
  Gravity
>;

/** The bar above every page: search, how fresh the page is, colours, who reads. */
export function Top(): JSX.Element {
  const colours = useStore(theme);
  const { who } = useStore(session);
  const isOpen = useStore(isNavOpen);
  return (
    <header class="top">
      <button
        type="button"
        class="button plain menu-button"
        aria-expanded={isOpen}
        aria-label="Pages"
        onClick={() => isNavOpen.set(!isOpen)}
      >
        <Icon name="menu" />
      </button>
      <Search />
      <Life />
      <button
        type="button"
        class="button plain"
        onClick={nextTheme}
        aria-label={`Colours: ${colours}`}
        title={`Colours: ${colours}`}
      >
        <Icon name="theme" />
      </button>
      {who && (
        <span class="wide quiet" title={`by ${who.by}`}>
          {who.name ?? who.by}, {who.role}
        </span>
      )}
      {who?.by === 'session' && (
        <button
          type="button"
          class="button plain"
          onClick={() => void signOut()}
          aria-label="Sign out"
          title="Sign out"
        >
          <Icon name="leave" />
        </button>
      )}
    </header>
  );
}

function Life(): JSX.Element {
  const known = useStore(life.store);
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => tick(undefined), 2000);
    return () => clearInterval(timer);
  }, []);
  const isPaused = known.state === 'paused';
  return (
    <span class="live">
      <State is={GRAVITY[known.state]}>{lifeText(known, Date.now())}</State>
      <button
        type="button"
        class="button small plain"
        aria-pressed={isPaused}
        onClick={() => life.pause(!isPaused)}
        aria-label={isPaused ? 'Go on' : 'Pause'}
        title={isPaused ? 'Go on' : 'Pause'}
      >
        <Icon name={isPaused ? 'play' : 'pause'} />
      </button>
    </span>
  );
}

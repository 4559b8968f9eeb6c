import { storeOf } from './store.ts';

/** How what is shown is: following, held by the reader, or not heard of since. */
export interface Liveliness {
  readonly state: 'waiting' | 'live' | 'paused' | 'stale';
  /** When something was heard last, in ms since the epoch. */
  readonly heardAt: number;
}

const store = storeOf<Liveliness>({ state: 'waiting', heardAt: 0 });

/** How fresh the page is. */
export const life = {
  store,
  /** Whether anything is to be asked for: somebody looks, and has not paused. */
  isAwake: (): boolean => !document.hidden && store.value.state !== 'paused',
  /** Something was heard. */
  answered(): void {
    if (store.value.state === 'paused') return;
    store.set({ state: 'live', heardAt: Date.now() });
  },
  /** Nobody answers. */
  lost(): void {
    if (store.value.state === 'paused') return;
    store.set({ ...store.value, state: 'stale' });
  },
  /** Holds the page as it is, or goes on. */
  pause(isPaused: boolean): void {
    store.set({ ...store.value, state: isPaused ? 'paused' : 'waiting' });
  },
};

/** "live", "stale since 14:02:11" and the like: in words, never by colour alone. */
export function lifeText({ state, heardAt }: Liveliness, now: number): string {
  const at = heardAt === 0 ? '' : new Date(heardAt).toTimeString().slice(0, 8);
  if (state === 'paused') return at === '' ? 'paused' : `paused at ${at}`;
  if (state === 'stale') return at === '' ? 'no answer' : `stale since ${at}`;
  if (state === 'waiting') return 'waiting';
  const seconds = Math.max(0, Math.round((now - heardAt) / 1000));
  return seconds < 3 ? 'live' : `live, ${seconds} s old`;
}

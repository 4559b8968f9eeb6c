import { storeOf } from '../data/store.ts';

/** Colours: as the system has them, or as chosen. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'gatehouse-theme';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

/** The theme of this browser. */
export const theme = storeOf<Theme>('system');

/** Takes over what was chosen before. */
export function readTheme(): void {
  const kept = localStorage.getItem(KEY);
  if (kept === 'light' || kept === 'dark') show(kept);
  // Charts are painted, so that they have to hear of it.
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => painted.set(painted.value + 1));
}

/** Goes on to the next theme, and keeps it. */
export function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system';
  if (next === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  show(next);
}

/** Counts up when colours change. */
export const painted = storeOf(0);

function show(next: Theme): void {
  const { dataset } = document.documentElement;
  if (next === 'system') delete dataset['theme'];
  else dataset['theme'] = next;
  theme.set(next);
  painted.set(painted.value + 1);
}

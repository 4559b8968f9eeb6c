import { asTable } from '../parts/as-table.ts';
import { go, hrefTo } from './address.ts';
import { storeOf } from '../data/store.ts';

/** Where `g` and a letter lead. */
export const PLACES: Readonly<Record<string, readonly string[]>> = {
  o: [],
  r: ['routes'],
  u: ['upstreams'],
  g: ['graphql'],
  l: ['limits'],
  c: ['config'],
  e: ['explain'],
};

/** Whether the list of keys is shown. */
export const isHelpShown = storeOf(false);

/** Takes the keys that work on every page; none while somebody writes. */
export function listenToKeys(): void {
  let isLeading = false;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const place = isLeading ? PLACES[event.key] : undefined;
    isLeading = event.key === 'g' && !isLeading;
    if (place) go(hrefTo(place));
    else if (event.key === '/') focusSearch(event);
    else if (event.key === 't') asTable.set(!asTable.value);
    else if (event.key === '?') isHelpShown.set(!isHelpShown.value);
  });
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, dialog') !== null;
}

function focusSearch(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLInputElement>('#search')?.focus();
}

import type { JSX } from 'preact';
import { storeOf, useStore } from '../data/store.ts';

const said = storeOf('');

/** Tells what has happened, also to those who do not see it. */
export function say(text: string): void {
  said.set('');
  // The same sentence twice is two events.
  setTimeout(() => said.set(text), 50);
}

/** Where {@link say} is read from. */
export function Announcements(): JSX.Element {
  const text = useStore(said);
  return (
    <div role="status" aria-live="polite" class={text === '' ? 'hidden' : 'said'}>
      {text}
      {text !== '' && (
        <button type="button" class="button small plain" onClick={() => said.set('')}>
          Dismiss
        </button>
      )}
    </div>
  );
}

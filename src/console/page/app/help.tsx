import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useStore } from '../data/store.ts';
import { isHelpShown } from './keys.ts';

const KEYS = [
  ['/', 'search'],
  ['t', 'tables instead of charts and pictures'],
  ['↑ ↓', 'from row to row'],
  ['← →', 'along a chart'],
  ['g o', 'overview'],
  ['g r', 'routes'],
  ['g u', 'upstreams'],
  ['g g', 'GraphQL'],
  ['g l', 'limits'],
  ['g c', 'configuration'],
  ['g e', 'explain'],
  ['?', 'this list'],
] as const;

/** The keys that work on every page. */
export function Help(): JSX.Element | null {
  const isShown = useStore(isHelpShown);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isShown) dialog.current?.showModal();
  }, [isShown]);
  if (!isShown) return null;
  return (
    <dialog ref={dialog} aria-label="Keys" onClose={() => isHelpShown.set(false)}>
      <form method="dialog">
        <h2>Keys</h2>
        <dl class="facts">
          {KEYS.map(([key, does]) => [
            <dt key={key}>
              <code>{key}</code>
            </dt>,
            <dd key={does}>{does}</dd>,
          ])}
        </dl>
        <div class="actions">
          <button type="submit" class="button">
            Close
          </button>
        </div>
      </form>
    </dialog>
  );
}

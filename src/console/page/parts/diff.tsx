import type { JSX } from 'preact';
import type { MeantChange } from '../data/order-answers.ts';
import { State, type Gravity } from './state.tsx';

const GRAVITY: Readonly<Record<MeantChange['kind'], Gravity>> = {
  added: 'good',
  removed: 'bad',
  changed: 'warn',
};

/** Changes by what they mean: which route, which upstream, and what of it. */
export function Meaning({ changes }: { readonly changes: readonly MeantChange[] }): JSX.Element {
  return (
    <ul class="list">
      {changes.map(({ kind, what, id, lines }) => (
        <li key={kind + what + id}>
          <State is={GRAVITY[kind]}>{kind}</State>
          <div class="text">
            <strong>
              {what} {id}
            </strong>
            {lines.length > 0 && <DiffText text={lines.join('\n')} label={`Lines of ${what} ${id}`} />}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** A unified diff, its lines told apart by their sign and by colour. */
export function DiffText({
  text,
  label = 'Difference, line by line',
}: {
  readonly text: string;
  readonly label?: string;
}): JSX.Element {
  return (
    <div class="diff" tabIndex={0} role="region" aria-label={label}>
      {text.split('\n').map((line, i) => (
        <div key={i} class={classOf(line)}>
          {line === '' ? ' ' : line}
        </div>
      ))}
    </div>
  );
}

/** What a line of a unified diff is. */
export function classOf(line: string): string {
  if (/^(@@|---|\+\+\+)/.test(line)) return 'hunk';
  if (line.startsWith('+')) return 'plus';
  return line.startsWith('-') ? 'minus' : '';
}

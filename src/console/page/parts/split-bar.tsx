import type { JSX } from 'preact';
import type { Split } from '../data/traffic.ts';
import { duration, percent } from '../data/format.ts';

const PARTS = [
  ['queue', 'waited', 5],
  ['stages', 'stages', 3],
  ['upstream', 'upstream', 1],
  ['body', 'body', 2],
] as const;

/** Where the time of requests goes. */
export function SplitBar({ split }: { readonly split: Split }): JSX.Element {
  const whole = PARTS.reduce((sum, [key]) => sum + split[key], 0) || 1;
  return (
    <>
      <div class="split" aria-hidden="true">
        {PARTS.map(([key, , colour]) => (
          <i key={key} class={`c${colour}`} style={{ width: `${(split[key] / whole) * 100}%` }} />
        ))}
      </div>
      <ul class="legend spread">
        {PARTS.map(([key, name, colour]) => (
          <li key={key}>
            <span class={`swatch c${colour}`} aria-hidden="true" />
            {name} <b>{duration(split[key])}</b> {percent(split[key] / whole)}
          </li>
        ))}
      </ul>
    </>
  );
}

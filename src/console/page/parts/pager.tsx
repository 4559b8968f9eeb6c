import type { JSX } from 'preact';
import { hrefWith } from '../app/address.ts';
import { grouped } from '../data/format.ts';

/** How many rows a page of a list has. */
export const PAGE_ROWS = 100;

interface PagerProps {
  readonly total: number;
  readonly from: number;
  readonly shown: number;
  readonly of: string;
}

/** Which part of a list is shown, out of how many: never a silent end. */
export function Pager({ total, from, shown, of }: PagerProps): JSX.Element {
  const before = Math.max(0, from - PAGE_ROWS);
  const next = from + shown;
  return (
    <nav class="pager" aria-label={`Pages of ${of}`}>
      <span class="number">
        {shown === 0 ? 'none' : `${grouped(from + 1)}–${grouped(next)}`} of {grouped(total)} {of}
      </span>
      {total > shown && (
        <span class="group">
          <Step isOff={from === 0} href={hrefWith({ from: before || undefined })} title="Previous" />
          <Step isOff={next >= total} href={hrefWith({ from: next })} title="Next" />
        </span>
      )}
    </nav>
  );
}

function Step({ isOff, href, title }: { isOff: boolean; href: string; title: string }): JSX.Element {
  if (isOff)
    return (
      <button type="button" class="button small" disabled>
        {title}
      </button>
    );
  return (
    <a class="button small" href={href}>
      {title}
    </a>
  );
}

import { useEffect } from 'preact/hooks';
import type { StreamMark } from './traffic.ts';
import { marks } from './marks.ts';
import { follow } from './stream.ts';
import { useAnswer, type Answered } from './use-answer.ts';

/** How often something is asked for where no stream tells of it. */
const SLOW_MS = 15_000;

/**
 * Asks for something once, and hears of it from then on.
 *
 * @param path of the page's answer; undefined for nothing.
 * @param view of the stream that carries the same answer.
 */
export function useLive<Answer>(path: string | undefined, view: string | undefined): Answered<Answer> {
  const answered = useAnswer<Answer>(path, SLOW_MS);
  const { take } = answered;
  useEffect(() => {
    if (path === undefined || view === undefined) return undefined;
    return follow(`stream?view=${view}`, ({ name, data }) => {
      if (name === 'rows') take(data as Answer);
      if (name === 'mark') marks.add(data as StreamMark);
    });
  }, [path, view, take]);
  return answered;
}

import type { SpanNote } from '../telemetry/span-log.ts';
import type { WaterfallBar } from './traffic-answers.ts';

/** How many bars are shown of one exchange. */
export const MOST_BARS = 100;
const LONGEST_NAME = 120;

/** What an exchange has done, as bars; the earliest ones, where there are too many. */
export function waterfallOf(notes: readonly SpanNote[], startedAt: number, endedAt: number): WaterfallBar[] {
  const shown = notes.slice(0, MOST_BARS);
  const places = new Map(shown.map((note, index) => [note, index]));
  return shown.map((note) => {
    const { sort, parent, startedAt: begunAt, endedAt: doneAt, outcome, isFault } = note;
    return {
      name: nameOf(note),
      sort,
      parent: (parent && places.get(parent)) ?? null,
      startMs: rounded(begunAt - startedAt),
      durationMs: rounded((doneAt === 0 ? endedAt : doneAt) - begunAt),
      outcome: doneAt === 0 ? 'unfinished' : outcome,
      failed: isFault,
    };
  });
}

// Not the path of an attempt, which may say who is asked for.
function nameOf({ sort, name, facts }: SpanNote): string {
  const { target } = (facts ?? {}) as { readonly target?: string };
  const shown = sort === 'attempt' && target !== undefined ? `${name} ${target}` : name;
  return shown.slice(0, LONGEST_NAME);
}

function rounded(ms: number): number {
  return Math.round(Math.max(0, ms) * 100) / 100;
}

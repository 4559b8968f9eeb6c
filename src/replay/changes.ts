import type { Outcome } from './outcome.ts';

/** What can change about a request, the gravest first: one that is found explains those behind it. */
export const KINDS = ['route', 'decision', 'upstream', 'request'] as const;

/** One way in which two configurations differ about a request. */
export interface Difference {
  readonly kind: (typeof KINDS)[number];
  /** The route of the old configuration. */
  readonly route: string;
  /** Equal for differences of the same cause. */
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

const NONE = '(none)';

/**
 * Compares what becomes of a request under two configurations.
 *
 * @param noise parts of requests that differ under one and the same configuration, which say nothing.
 */
export function differencesOf(old: Outcome, now: Outcome, noise: ReadonlySet<string>): readonly Difference[] {
  const of = (kind: Difference['kind'], from: string, to: string, what = `${from} → ${to}`): Difference[] =>
    from === to ? [] : [{ kind, route: old.route, what, from, to }];
  const found = [
    ...of('route', old.route, now.route),
    ...of('decision', old.decision, now.decision),
    ...of('upstream', old.upstream, now.upstream),
  ];
  // What is sent, to whom nothing is sent any more, the decision says already.
  if (old.request.size === 0 || now.request.size === 0) return found;
  const parts = [...new Set([...old.request.keys(), ...now.request.keys()])].filter(
    (part) => !noise.has(part),
  );
  return [
    ...found,
    ...parts.flatMap((part) =>
      of('request', old.request.get(part) ?? NONE, now.request.get(part) ?? NONE, part),
    ),
  ];
}

/** The parts of requests that differ although nothing has changed: ids, times. */
export function noiseOf(one: Outcome, again: Outcome): readonly string[] {
  const parts = [...new Set([...one.request.keys(), ...again.request.keys()])];
  return parts.filter((part) => one.request.get(part) !== again.request.get(part));
}

/** All differences of one cause. */
export interface Group extends Difference {
  readonly count: number;
  /** One request that differs so, and where in the sample it is. */
  readonly example: { readonly request: string; readonly line: number };
}

const MOST_GROUPS = 1000;

/** Gathers differences by their cause. */
export class Groups {
  readonly #groups = new Map<string, Group>();
  /** Differences of more causes than are kept apart. */
  left = 0;

  add(difference: Difference, example: Group['example']): void {
    const { kind, route, what } = difference;
    const key = JSON.stringify([kind, route, what]);
    const known = this.#groups.get(key);
    if (known === undefined && this.#groups.size >= MOST_GROUPS) this.left += 1;
    else if (known === undefined) this.#groups.set(key, { ...difference, count: 1, example });
    else this.#groups.set(key, { ...known, count: known.count + 1 });
  }

  /** By kind, and the most frequent first. */
  get sorted(): readonly Group[] {
    return [...this.#groups.values()].sort(
      (a, b) =>
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || b.count - a.count || a.route.localeCompare(b.route),
    );
  }
}

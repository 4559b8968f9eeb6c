import type { PathPattern } from '../routing/path-pattern.ts';
import { maySayASecret } from '../telemetry/secret-names.ts';

/** Stands for what is left out. */
const HIDDEN = '*';

/** What is known of a route: how it is asked for. */
export interface Patterned {
  readonly pattern: Pick<PathPattern, 'segments'>;
}

/** How far behind a literal segment, folded, a secret stands; behind the empty one: from the beginning. */
type Places = ReadonlyMap<string, readonly number[]>;

/** By a table's routes; settled when a path that none of them takes is first shown. */
const known = new WeakMap<readonly Patterned[], Places>();

/**
 * A path that no route takes, without what would be a secret if it were meant for one that is almost so: whoever asks for
 * `/Reset/abc/` where there is `/reset/{token}` has the same token. Fails closed: rather one segment too many is hidden.
 */
export function withoutSecretSegments(path: string, routes: readonly Patterned[] | undefined): string {
  if (routes === undefined) return path;
  let places = known.get(routes);
  if (places === undefined) known.set(routes, (places = placesIn(routes)));
  if (places.size === 0) return path;
  const parts = path.split('/');
  // Whoever doubles a slash means the same.
  const segments = parts.flatMap((part, index) => (part === '' ? [] : [index]));
  const hide = (index: number | undefined): void => {
    if (index !== undefined) parts[index] = HIDDEN;
  };
  const literals = segments.map((index) => folded(parts[index] as string));
  for (const away of places.get('') ?? []) hide(segments[away - 1]);
  for (const [place, literal] of literals.entries())
    for (const away of places.get(literal) ?? []) hide(segments[place + away]);
  return parts.join('/');
}

function placesIn(routes: readonly Patterned[]): Places {
  const places = new Map<string, number[]>();
  for (const { pattern } of routes) {
    let [literal, away] = ['', 0];
    for (const segment of pattern.segments) {
      away += 1;
      if (segment.kind === 'literal') [literal, away] = [folded(segment.text), 0];
      else if (maySayASecret(segment.name)) add(places, literal, away);
    }
  }
  return places;
}

function add(places: Map<string, number[]>, literal: string, away: number): void {
  const all = places.get(literal);
  if (all === undefined) places.set(literal, [away]);
  else if (!all.includes(away)) all.push(away);
}

function folded(segment: string): string {
  try {
    return decodeURIComponent(segment).trim().toLowerCase();
  } catch {
    return segment.toLowerCase();
  }
}

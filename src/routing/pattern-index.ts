import type { PathPattern, PatternSegment } from './path-pattern.ts';

interface Entry<Value> {
  readonly order: number;
  readonly verb: string | undefined;
  readonly value: Value;
}

/** One place in the tree of path segments. */
class Place<Value> {
  readonly literals = new Map<string, Place<Value>>();
  parameter: Place<Value> | undefined = undefined;
  /** Of patterns that end here, and of those that end here with `/*`. */
  readonly exact: Entry<Value>[] = [];
  readonly rest: Entry<Value>[] = [];
}

/**
 * Finds out of many patterns those that cover another one, as `covers` says it of two, by walking a tree of segments:
 * asking for each of n patterns costs n walks, not n² comparisons.
 */
export class PatternIndex<Value> {
  readonly #root = new Place<Value>();
  #size = 0;

  /** Adds a pattern; several may be the same. */
  add(pattern: PathPattern, value: Value): void {
    let place = this.#root;
    for (const segment of pattern.segments) place = below(place, segment);
    const entry = { order: this.#size, verb: pattern.verb, value };
    (pattern.wildcard ? place.rest : place.exact).push(entry);
    this.#size += 1;
  }

  /** The values of all patterns of which every path of `inner` is a path too, in the order in which they were added. */
  covering(inner: PathPattern): Value[] {
    const found: Entry<Value>[] = [];
    collect(this.#root, inner, 0, found);
    return found.sort((a, b) => a.order - b.order).map(({ value }) => value);
  }
}

function below<Value>(place: Place<Value>, segment: PatternSegment): Place<Value> {
  if (segment.kind === 'parameter') return (place.parameter ??= new Place());
  let next = place.literals.get(segment.text);
  if (next === undefined) place.literals.set(segment.text, (next = new Place()));
  return next;
}

function collect<Value>(place: Place<Value>, inner: PathPattern, depth: number, found: Entry<Value>[]): void {
  const takes = ({ verb }: Entry<Value>): boolean => verb === undefined || verb === inner.verb;
  found.push(...place.rest.filter(takes));
  const segment = inner.segments[depth];
  if (segment === undefined) {
    // A rest may be more than a pattern without one takes.
    if (!inner.wildcard) found.push(...place.exact.filter(takes));
    return;
  }
  // A parameter stands for any segment, a literal only for itself.
  if (place.parameter !== undefined) collect(place.parameter, inner, depth + 1, found);
  const literal = segment.kind === 'literal' ? place.literals.get(segment.text) : undefined;
  if (literal !== undefined) collect(literal, inner, depth + 1, found);
}

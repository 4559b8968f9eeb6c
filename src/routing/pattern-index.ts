import type { LinearPattern } from '../config/linear-pattern.ts';
import type { PathPattern, PatternSegment } from './path-pattern.ts';

interface Entry<Value> {
  readonly order: number;
  readonly verb: string | undefined;
  readonly slash: true | undefined;
  readonly value: Value;
}

/** One place in the tree of path segments. */
class Place<Value> {
  readonly literals = new Map<string, Place<Value>>();
  parameter: Place<Value> | undefined = undefined;
  /** Below parameters with an expression, by its source. */
  readonly constrained = new Map<string, { readonly pattern: LinearPattern; readonly place: Place<Value> }>();
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
    const entry = { order: this.#size, verb: pattern.verb, slash: pattern.slash, value };
    (pattern.wildcard ? place.rest : place.exact).push(entry);
    this.#size += 1;
  }

  /**
   * The values of all patterns of which every path of `inner` is a path too, in the order in which they were added.
   *
   * @param most how many of those that are the same pattern are looked at.
   */
  covering(inner: PathPattern, most = Infinity): Value[] {
    const found: Entry<Value>[] = [];
    collect(this.#root, { inner, most }, 0, found);
    return found.sort((a, b) => a.order - b.order).map(({ value }) => value);
  }
}

function below<Value>(place: Place<Value>, segment: PatternSegment): Place<Value> {
  if (segment.kind === 'parameter') {
    const { pattern } = segment;
    if (pattern === undefined) return (place.parameter ??= new Place());
    let known = place.constrained.get(pattern.source);
    if (known === undefined) place.constrained.set(pattern.source, (known = { pattern, place: new Place() }));
    return known.place;
  }
  let next = place.literals.get(segment.text);
  if (next === undefined) place.literals.set(segment.text, (next = new Place()));
  return next;
}

interface Asked {
  readonly inner: PathPattern;
  readonly most: number;
}

function collect<Value>(place: Place<Value>, asked: Asked, depth: number, found: Entry<Value>[]): void {
  const { inner, most } = asked;
  const takes = ({ verb }: Entry<Value>): boolean => verb === undefined || verb === inner.verb;
  const some = (entries: readonly Entry<Value>[]) =>
    entries.length > most ? entries.slice(0, most) : entries;
  found.push(...some(place.rest).filter(takes));
  const segment = inner.segments[depth];
  if (segment === undefined) {
    // A rest may be more than a pattern without one takes.
    if (!inner.wildcard)
      found.push(...some(place.exact).filter((entry) => takes(entry) && entry.slash === inner.slash));
    return;
  }
  // A parameter stands for any segment, a literal only for itself.
  if (place.parameter !== undefined) collect(place.parameter, asked, depth + 1, found);
  for (const { pattern, place: next } of constrainedFor(place, segment)) {
    if (segment.kind === 'parameter' || pattern.matches(segment.text)) collect(next, asked, depth + 1, found);
  }
  const literal = segment.kind === 'literal' ? place.literals.get(segment.text) : undefined;
  if (literal !== undefined) collect(literal, asked, depth + 1, found);
}

// A literal may be one of the texts of any expression, a parameter only has those of its own.
function constrainedFor<Value>({ constrained }: Place<Value>, segment: PatternSegment) {
  if (constrained.size === 0) return [];
  if (segment.kind === 'literal') return [...constrained.values()];
  const same = segment.pattern && constrained.get(segment.pattern.source);
  return same === undefined ? [] : [same];
}

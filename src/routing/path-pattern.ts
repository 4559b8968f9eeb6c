import { normalizePath } from './request-path.ts';

/** One segment of a path pattern. */
export type PatternSegment =
  { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'parameter'; readonly name: string };

/**
 * A parsed path pattern: exact segments, `{param}` segments, and perhaps a trailing `*` for the rest. After a
 * `{param}` or `*` at the end there may be a verb, as in `/orders/{id}:cancel`.
 */
export interface PathPattern {
  readonly source: string;
  readonly segments: readonly PatternSegment[];
  /** Whether the pattern ends in `/*`; the rest may be empty. */
  readonly wildcard: boolean;
  /** With its colon: `:cancel`; undefined without one. */
  readonly verb: string | undefined;
  /** Names of the parameters in order; the rest is called `*`. */
  readonly parameters: readonly string[];
}

const VERB = /(?<=[}*]):[A-Za-z0-9\-._~]+$/;
const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
const LITERAL = /^[A-Za-z0-9\-._~!$&'()+,;=:@%]+$/;

/**
 * Parses a path pattern.
 *
 * @throws {Error} saying what is wrong with it and what would be right.
 */
export function parsePathPattern(source: string): PathPattern {
  if (!source.startsWith('/')) throw new Error(`expected a path that starts with "/", got "${source}"`);
  const verb = VERB.exec(source)?.[0];
  const bare = verb === undefined ? source : source.slice(0, -verb.length);
  const parts = bare === '/' ? [] : bare.slice(1).split('/');
  const wildcard = parts.at(-1) === '*';
  const segments = (wildcard ? parts.slice(0, -1) : parts).map((part) => parseSegment(part, source));
  const names = segments.flatMap((segment) => (segment.kind === 'parameter' ? [segment.name] : []));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`the parameter {${twice}} stands twice in "${source}"`);
  return { source, segments, wildcard, verb, parameters: wildcard ? [...names, '*'] : names };
}

function parseSegment(part: string, source: string): PatternSegment {
  const name = PARAMETER.exec(part)?.[1];
  if (name !== undefined) return { kind: 'parameter', name };
  if (part === '') throw new Error(`expected no empty segment in "${source}"`);
  if (part === '*') throw new Error(`expected "*" only as the last segment of "${source}"`);
  if (part.startsWith(':'))
    throw new Error(`expected {${part.slice(1)}} for a parameter, got "${part}" in "${source}"`);
  if (!LITERAL.test(part))
    throw new Error(`expected a literal segment or {name}, got "${part}" in "${source}"`);
  assertMatchable(part, source);
  return { kind: 'literal', text: part };
}

// Paths are matched in their normal form, so a literal in any other form would be a route that nobody reaches.
function assertMatchable(part: string, source: string): void {
  const normal = normalizePath(`/${part}`)?.slice(1);
  if (normal === undefined) {
    throw new Error(`"${part}" in "${source}" can never match: no request may have such a segment`);
  }
  if (normal !== part) {
    throw new Error(`expected "${normal}", the normal form, instead of "${part}" in "${source}"`);
  }
}

/** Whether every path of `inner` is also a path of `outer`. */
export function covers(outer: PathPattern, inner: PathPattern): boolean {
  if (outer.verb !== undefined && outer.verb !== inner.verb) return false;
  if (!outer.wildcard && (inner.wildcard || outer.segments.length !== inner.segments.length)) return false;
  if (inner.segments.length < outer.segments.length) return false;
  return outer.segments.every((segment, index) => {
    const other = inner.segments[index];
    if (segment.kind === 'parameter') return true;
    return other?.kind === 'literal' && other.text === segment.text;
  });
}

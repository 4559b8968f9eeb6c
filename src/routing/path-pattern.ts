import { compileLinear, type LinearPattern } from '../config/linear-pattern.ts';
import { normalizePath } from './request-path.ts';

/** One segment of a path pattern. */
export type PatternSegment = { readonly kind: 'literal'; readonly text: string } | ParameterSegment;

/** A segment of any text, or of one that an expression describes. */
export interface ParameterSegment {
  readonly kind: 'parameter';
  readonly name: string;
  readonly pattern?: LinearPattern;
}

/**
 * A parsed path pattern: exact segments, `{param}` and `{param:regex}` segments, and perhaps a trailing `*` for the rest.
 * After a `{param}` or `*` at the end there may be a verb, as in `/orders/{id}:cancel`, or a slash that is meant.
 */
export interface PathPattern {
  readonly source: string;
  readonly segments: readonly PatternSegment[];
  /** Whether the pattern ends in `/*`; the rest may be empty. */
  readonly wildcard: boolean;
  /** Whether it ends in a slash, and takes only paths that do. */
  readonly slash?: true;
  /** With its colon: `:cancel`; undefined without one. */
  readonly verb: string | undefined;
  /** Names of the parameters in order; the rest is called `*`. */
  readonly parameters: readonly string[];
}

const VERB = /(?<=[}*]):[A-Za-z0-9\-._~]+$/;
const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)(?::(.+))?\}$/;
const LITERAL = /^[A-Za-z0-9\-._~!$&'()+,;=:@%]+$/;

/**
 * Parses a path pattern.
 *
 * @param slashes whether a literal may have a `%2F`, for a route that takes such paths.
 * @throws {Error} saying what is wrong with it and what would be right.
 */
export function parsePathPattern(source: string, slashes: 'refuse' | 'keep' = 'refuse'): PathPattern {
  if (!source.startsWith('/')) throw new Error(`expected a path that starts with "/", got "${source}"`);
  const verb = VERB.exec(source)?.[0];
  const bare = verb === undefined ? source : source.slice(0, -verb.length);
  const parts = bare === '/' ? [] : partsOf(bare.slice(1));
  const slash = parts.length > 1 && parts.at(-1) === '';
  if (slash) parts.pop();
  const wildcard = !slash && parts.at(-1) === '*';
  const literals = wildcard ? parts.slice(0, -1) : parts;
  const segments = literals.map((part) => parseSegment(part, source, slashes));
  const names = segments.flatMap((segment) => (segment.kind === 'parameter' ? [segment.name] : []));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`the parameter {${twice}} stands twice in "${source}"`);
  const parameters = wildcard ? [...names, '*'] : names;
  return { source, segments, wildcard, ...(slash && { slash }), verb, parameters };
}

// Between slashes, but for those inside of braces, which an expression has of its own.
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let [start, depth] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    else if (character === '/' && depth <= 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function parseSegment(part: string, source: string, slashes: 'refuse' | 'keep'): PatternSegment {
  const [, name, expression] = PARAMETER.exec(part) ?? [];
  if (name !== undefined && expression !== undefined) return constrained(name, expression, source);
  if (name !== undefined) return { kind: 'parameter', name };
  if (part === '') throw new Error(`expected no empty segment in "${source}"`);
  if (part === '*') throw new Error(`expected "*" only as the last segment of "${source}"`);
  if (part.startsWith(':'))
    throw new Error(`expected {${part.slice(1)}} for a parameter, got "${part}" in "${source}"`);
  if (!LITERAL.test(part))
    throw new Error(`expected a literal segment or {name}, got "${part}" in "${source}"`);
  assertMatchable(part, source, slashes);
  return { kind: 'literal', text: part };
}

function constrained(name: string, expression: string, source: string): ParameterSegment {
  if (expression.includes('/'))
    throw new Error(`{${name}:${expression}} in "${source}" can never match: a segment has no slash`);
  return { kind: 'parameter', name, pattern: compileLinear(expression) };
}

// Paths are matched in their normal form, so a literal in any other form would be a route that nobody reaches.
function assertMatchable(part: string, source: string, slashes: 'refuse' | 'keep'): void {
  const normal = normalizePath(`/${part}`, slashes)?.slice(1);
  if (normal === undefined) {
    throw new Error(`"${part}" in "${source}" can never match: no request may have such a segment`);
  }
  if (normal !== part) {
    throw new Error(`expected "${normal}", the normal form, instead of "${part}" in "${source}"`);
  }
}

/** Whether every path of `inner` is also a path of `outer`, as far as that can be told. */
export function covers(outer: PathPattern, inner: PathPattern): boolean {
  if (outer.verb !== undefined && outer.verb !== inner.verb) return false;
  if (!outer.wildcard && (inner.wildcard || outer.segments.length !== inner.segments.length)) return false;
  if (!outer.wildcard && outer.slash !== inner.slash) return false;
  if (inner.segments.length < outer.segments.length) return false;
  return outer.segments.every((segment, index) => {
    const other = inner.segments[index];
    if (segment.kind === 'literal') return other?.kind === 'literal' && other.text === segment.text;
    if (segment.pattern === undefined) return true;
    if (other?.kind === 'literal') return segment.pattern.matches(other.text);
    return other?.pattern?.source === segment.pattern.source;
  });
}

/** What a segment is apart from the name of its parameter; equal for those that take the same texts. */
export function segmentKey(segment: PatternSegment): string | object {
  if (segment.kind === 'literal') return segment.text;
  return segment.pattern === undefined ? { parameter: true } : { pattern: segment.pattern.source };
}

/** A path of the shape of a pattern. No literal has braces, so a parameter stands for whatever is not one. */
export function samplePath({ segments, wildcard, slash, verb }: PathPattern): string {
  const texts = segments.map((segment) =>
    segment.kind === 'literal' ? segment.text : sampleSegment(segment),
  );
  if (wildcard) texts.push('{*}');
  return `/${texts.join('/')}${slash ? '/' : ''}${verb ?? ''}`;
}

/** What stands for the texts of a parameter in a {@link samplePath}. */
export function sampleSegment({ name, pattern }: ParameterSegment): string {
  return pattern === undefined ? `{${name}}` : `{:${pattern.source}}`;
}

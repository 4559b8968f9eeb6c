import type { RequestPaths, RouteReach } from '../policies/stage-factory.ts';
import {
  covers,
  parsePathPattern,
  type ParameterSegment,
  type PathPattern,
  type PatternSegment,
} from './path-pattern.ts';
import { foldPath } from './request-path.ts';

const FOLDABLE = /[A-Z%;]/;

/** Reads patterns of paths for stages that look at more requests than one route is for. */
export const requestPaths: RequestPaths = {
  matcher(source) {
    const pattern = parsePathPattern(source);
    const folded = foldedPattern(pattern);
    const isFoldable = literalsOf(pattern).some((text) => FOLDABLE.test(text));
    return {
      isFoldable,
      takes: (path) => takes(pattern, path),
      takesFolded: (path) => takes(folded, path),
      parameters: pattern.parameters,
      valuesIn: (path) => valuesIn(pattern, path),
    };
  },
  fold: (path) => (FOLDABLE.test(path) ? foldPath(path) : path),
};

/** What a route takes, for stages that look at more requests than one route is for. */
export function reachOf(pattern: PathPattern, methods: readonly string[]): RouteReach {
  return {
    methods,
    isWithin: (source) => {
      const { slash: _slash, ...outer } = parsePathPattern(source);
      // A slash at the end makes no difference here.
      return covers(pattern.slash === true ? { ...outer, slash: true } : outer, pattern);
    },
  };
}

function textsOf(path: string): string[] {
  const texts = path === '/' ? [] : path.slice(1).split('/');
  // A slash at the end makes no difference here: some routes take such a path for the same.
  if (texts.at(-1) === '') texts.pop();
  return texts;
}

function valuesIn({ segments, wildcard, verb }: PathPattern, path: string): readonly string[] {
  const texts = textsOf(path);
  const values = segments.flatMap(({ kind }, at) => (kind === 'parameter' ? [texts[at] ?? ''] : []));
  if (wildcard) values.push(texts.slice(segments.length).join('/'));
  const last = values.pop();
  if (last === undefined) return values;
  return [...values, verb === undefined ? last : last.slice(0, -verb.length)];
}

function takes({ segments, wildcard, verb }: PathPattern, path: string): boolean {
  const texts = textsOf(path);
  if (wildcard ? texts.length < segments.length : texts.length !== segments.length) return false;
  if (verb !== undefined) {
    const last = texts.at(-1) ?? '';
    if (!last.endsWith(verb)) return false;
    texts[texts.length - 1] = last.slice(0, -verb.length);
  }
  return segments.every((segment, at) => isOne(segment, texts[at] ?? ''));
}

function isOne(segment: PatternSegment, text: string): boolean {
  if (segment.kind === 'literal') return segment.text === text;
  return segment.pattern === undefined || segment.pattern.matches(text);
}

/** The pattern of folded paths; what expressions say of texts says nothing of their folded forms, so that they take all. */
function foldedPattern(pattern: PathPattern): PathPattern {
  const segments = pattern.segments.map((segment): PatternSegment => {
    if (segment.kind === 'literal') return { kind: 'literal', text: foldPath(segment.text) };
    return { kind: 'parameter', name: segment.name };
  });
  return { ...pattern, segments, verb: pattern.verb?.toLowerCase() };
}

function literalsOf({ segments }: PathPattern): readonly string[] {
  return segments.flatMap((segment) => (segment.kind === 'literal' ? [segment.text] : []));
}

/** Orders patterns, the more specific first: a literal before a parameter before the rest. Zero for equals. */
export function bySpecificity(a: PathPattern, b: PathPattern): number {
  const most = Math.max(a.segments.length, b.segments.length);
  for (let at = 0; at < most; at += 1) {
    const difference = rankOf(a.segments[at]) - rankOf(b.segments[at]);
    if (difference !== 0) return difference;
  }
  return (
    Number(a.wildcard) - Number(b.wildcard) || Number(a.verb === undefined) - Number(b.verb === undefined)
  );
}

function rankOf(segment: PatternSegment | undefined): number {
  if (segment === undefined) return RANKS.rest;
  if (segment.kind === 'literal') return RANKS.literal;
  return isConstrained(segment) ? RANKS.constrained : RANKS.parameter;
}

const RANKS = { literal: 0, constrained: 1, parameter: 2, rest: 3 };

function isConstrained({ pattern }: ParameterSegment): boolean {
  return pattern !== undefined;
}

/**
 * Whether a path of one pattern could be one of the other, in whatever spelling; true where that cannot be told. Behind
 * the first parameter it cannot: folding takes segments away.
 */
export function mayMeet(a: PathPattern, b: PathPattern): boolean {
  for (let at = 0; ; at += 1) {
    const [one, other] = [a.segments[at], b.segments[at]];
    if (one === undefined || other === undefined)
      return (
        (one === undefined && (a.wildcard || other === undefined)) || (other === undefined && b.wildcard)
      );
    if (one.kind === 'parameter' || other.kind === 'parameter') return true;
    if (foldPath(one.text) !== foldPath(other.text)) return false;
  }
}

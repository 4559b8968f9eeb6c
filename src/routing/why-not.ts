import { AskedValues } from './asked-values.ts';
import { rankOf } from './candidates.ts';
import { hostMatches } from './host-trees.ts';
import { covers, type PathPattern, type PatternSegment } from './path-pattern.ts';
import type { Route } from './route.ts';
import { methodMatches, searchFor, SegmentTree, type MatchSubject } from './segment-tree.ts';

/** So many are told of whose path does not even fit. */
const MOST_NEAR = 5;

/** A route that has not taken a request, and the first thing that speaks against it. */
export interface Candidate {
  readonly route: Route;
  readonly why: string;
}

/** The routes that could have been meant by a request. */
export interface Candidates {
  /** Those whose path fits, and then those whose path begins as the one that is asked for does. */
  readonly candidates: readonly Candidate[];
  /** How many others there are: their paths are others. */
  readonly others: number;
}

/** Says of the routes that a request could have meant why they do not take it. Not for the path of requests: it looks at all. */
export function whyNot(asked: MatchSubject, routes: readonly Route[], taken: Route | undefined): Candidates {
  const fitting: Candidate[] = [];
  const near: { readonly candidate: Candidate; readonly depth: number }[] = [];
  let rest = 0;
  for (const route of routes) {
    if (route === taken) continue;
    if (pathFits(route, asked)) {
      fitting.push({ route, why: failing(route, asked) ?? behind(route, taken) });
      continue;
    }
    const { depth, why } = pathFault(route.pattern, asked.path);
    if (depth > 0) near.push({ candidate: { route, why: `path: ${why}` }, depth });
    else rest += 1;
  }
  near.sort((a, b) => b.depth - a.depth);
  const shown = near.slice(0, MOST_NEAR).map(({ candidate }) => candidate);
  return { candidates: [...fitting, ...shown], others: rest + near.length - shown.length };
}

/** Asks the tree that routes are found in, so that both read paths alike. */
function pathFits(route: Route, asked: MatchSubject): boolean {
  const bare: Route = {
    ...route,
    conditions: [],
    priority: 0,
    match: { ...route.match, methods: [], hosts: [] },
  };
  return new SegmentTree([bare]).find(searchFor(asked, asked.path)) !== undefined;
}

function failing(route: Route, asked: MatchSubject): string | undefined {
  const { methods, hosts } = route.match;
  if (hosts.length > 0 && !hostMatches(hosts, asked.host))
    return `host: ${asked.host || 'none'} is not ${hosts.join(' or ')}`;
  if (!methodMatches(route, asked.method)) return `method: ${asked.method} is not ${methods.join(' or ')}`;
  const values = new AskedValues(asked);
  const failed = route.conditions.find((condition) => !condition.holds(values));
  return failed && `${failed.place}: asks for ${failed.text}`;
}

/** Why another route goes before one of which everything holds. */
function behind(route: Route, taken: Route | undefined): string {
  if (taken === undefined) return 'order: refused, see above';
  const before = `goes before it`;
  if (taken.priority !== route.priority) return `order: priority ${taken.priority} of ${taken.id} ${before}`;
  if (hostRank(taken) > hostRank(route)) return `order: the host of ${taken.id} is more specific`;
  if (covers(route.pattern, taken.pattern) && !covers(taken.pattern, route.pattern))
    return `order: the path of ${taken.id} is more specific`;
  const [own, other] = [rankOf(route), rankOf(taken)];
  if (own.some((one, index) => one !== other[index])) return `order: ${taken.id} asks for more`;
  return `order: ${taken.id} ${before}`;
}

function hostRank({ match: { hosts } }: Route): number {
  if (hosts.length === 0) return 0;
  return hosts.some((host) => !host.startsWith('*')) ? 2 : 1;
}

/** How many segments fit, and what is wrong with the next one. */
function pathFault(pattern: PathPattern, path: string): { readonly depth: number; readonly why: string } {
  const parts = path === '/' ? [] : path.slice(1).split('/');
  const { segments } = pattern;
  for (const [depth, segment] of segments.entries()) {
    const part = parts[depth];
    if (part === undefined) return { depth, why: `ends before ${spelled(segment)}` };
    if (!segmentFits(segment, part)) return { depth, why: `"${part}" is not ${spelled(segment)}` };
  }
  if (parts.length > segments.length && !pattern.wildcard)
    return { depth: segments.length, why: `goes on after ${pattern.source}` };
  return { depth: segments.length, why: `is not ${pattern.source}` };
}

function segmentFits(segment: PatternSegment, part: string): boolean {
  if (segment.kind === 'literal') return segment.text === part;
  return segment.pattern === undefined || segment.pattern.matches(part);
}

function spelled(segment: PatternSegment): string {
  if (segment.kind === 'literal') return `"${segment.text}"`;
  return segment.pattern === undefined ? `{${segment.name}}` : `{${segment.name}:${segment.pattern.source}}`;
}

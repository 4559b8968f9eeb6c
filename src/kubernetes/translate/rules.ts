import { jsonOf, listOf, textOf, type Json, type Resource } from '../resource.ts';
import type { Backends } from './backends.ts';
import { timesOf } from './durations.ts';
import { ObjectFault, unsupported } from './faults.ts';
import { filtersOf, type FilterParts } from './filters.ts';
import { grpcMatchOf, matchOf } from './matches.ts';

const GROUP = 'gateway.networking.k8s.io';
const PREFIX = { path: { type: 'PathPrefix', value: '/' } };

/** What a rule is made into, but for hosts, ports and policies of others. */
export interface ReadRule {
  /** The name of the rule, for policies. */
  readonly name: string;
  readonly matches: readonly Json[];
  /** Keys of a route of the file. */
  readonly route: Json;
  readonly policies: Json;
  /** References that lead nowhere. */
  readonly faults: readonly ObjectFault[];
}

/** Reads a rule of an HTTPRoute. @throws {ObjectFault} for what cannot be said. */
export function readRule(route: Resource, rule: Json, field: string, backends: Backends): ReadRule {
  if (rule['sessionPersistence'] !== undefined) throw unsupported(`${field}.sessionPersistence`);
  const filters = filtersOf(listOf(rule['filters']), `${field}.filters`);
  const { deadline, retry } = timesOf(jsonOf(rule['timeouts']), jsonOf(rule['retry']), field);
  const asked = listOf(rule['matches']);
  const matches = (asked.length === 0 ? [PREFIX] : asked).map((match, index) =>
    matchOf(jsonOf(match), `${field}.matches[${index}]`),
  );
  checkPrefixes(asked, filters, field);
  const answer = answerOf(route, rule, field, { backends, filters });
  const isForwarded = answer.route['upstream'] !== undefined;
  return {
    name: textOf(rule['name']),
    matches,
    route: { ...answer.route, ...(isForwarded && retry !== undefined && { retry }) },
    policies: {
      ...(filters.cors !== undefined && { cors: filters.cors }),
      ...(filters.transform !== undefined && { transform: filters.transform }),
      ...(deadline !== undefined && { deadline }),
    },
    faults: answer.faults,
  };
}

/** Reads a rule of a GRPCRoute. @throws {ObjectFault} for what cannot be said. */
export function readGrpcRule(route: Resource, rule: Json, field: string, backends: Backends): ReadRule {
  if (rule['sessionPersistence'] !== undefined) throw unsupported(`${field}.sessionPersistence`);
  const filters = filtersOf(listOf(rule['filters']), `${field}.filters`);
  if (filters.mirror !== undefined)
    throw unsupported(`${field}.filters`, 'RequestMirror of a GRPCRoute is not supported');
  const asked = listOf(rule['matches']);
  const matches = (asked.length === 0 ? [{}] : asked).map((match, index) => ({
    methods: ['POST'],
    ...grpcMatchOf(jsonOf(match), `${field}.matches[${index}]`),
  }));
  const { names, faults, weights } = resolve(route, rule, field, backends, 'grpc');
  const shares = sharesOf(names, weights);
  return {
    name: textOf(rule['name']),
    matches,
    route:
      shares === undefined
        ? NOBODY_TO_CALL
        : {
            upstream: shares.upstream,
            passGrpc: shares.split === undefined ? true : { split: shares.split },
          },
    policies: filters.transform === undefined ? {} : { transform: filters.transform },
    faults,
  };
}

/** A call that nobody is there for is UNAVAILABLE, as specified: what clients make of this status of HTTP. */
const NOBODY_TO_CALL: Json = { respond: { status: 503 } };

interface Shares {
  readonly upstream: string;
  /** Absent: all of it is the upstream's. */
  readonly split: Json | undefined;
}

/** Who gets how much; undefined where nobody gets anything. */
function sharesOf(names: readonly (string | undefined)[], weights: readonly number[]): Shares | undefined {
  const first = names.findIndex((name, index) => name !== undefined && (weights[index] ?? 0) > 0);
  const upstream = names[first];
  if (upstream === undefined) return undefined;
  const others = names.flatMap((name, index) => {
    const weight = weights[index] ?? 0;
    if (index === first || weight === 0) return [];
    return [name === undefined ? { refuse: true, weight } : { upstream: name, weight }];
  });
  return { upstream, split: others.length === 0 ? undefined : { weight: weights[first], others } };
}

/** Nobody is there who could answer: 500, as specified. */
const NOBODY: Json = { respond: { status: 500 } };

function answerOf(
  route: Resource,
  rule: Json,
  field: string,
  { backends, filters }: { readonly backends: Backends; readonly filters: FilterParts },
): { readonly route: Json; readonly faults: readonly ObjectFault[] } {
  if (filters.redirect !== undefined) {
    if (listOf(rule['backendRefs']).length > 0)
      throw new ObjectFault(
        'IncompatibleFilters',
        `${field}.backendRefs: expected none beside RequestRedirect`,
      );
    return { route: { redirect: filters.redirect }, faults: [] };
  }
  const { names, weights, faults } = resolve(route, rule, field, backends, 'http');
  const shares = sharesOf(names, weights);
  if (shares === undefined) return { route: NOBODY, faults };
  const mirror = mirrorOf(route, filters, backends, names);
  return {
    route: {
      upstream: shares.upstream,
      ...(filters.rewrite !== undefined && { rewrite: filters.rewrite }),
      ...(filters.host !== undefined && { host: filters.host }),
      ...(shares.split !== undefined && { split: shares.split }),
      ...mirror.route,
      // A client that asks for a WebSocket gets it, if the service has one.
      webSocket: {},
    },
    faults: [...faults, ...mirror.faults],
  };
}

function resolve(
  route: Resource,
  rule: Json,
  field: string,
  backends: Backends,
  protocol: 'http' | 'grpc',
): {
  readonly names: readonly (string | undefined)[];
  readonly weights: readonly number[];
  readonly faults: readonly ObjectFault[];
} {
  const from = { group: GROUP, kind: route.kind, namespace: route.namespace };
  const faults: ObjectFault[] = [];
  const refs = listOf(rule['backendRefs']);
  const names = refs.map((ref, index) => {
    const place = `${field}.backendRefs[${index}]`;
    if (listOf(ref['filters']).length > 0) throw unsupported(`${place}.filters`);
    try {
      return backends.upstreamOf(ref, from, place, protocol);
    } catch (error) {
      if (!(error instanceof ObjectFault)) throw error;
      faults.push(error);
      return undefined;
    }
  });
  return { names, weights: refs.map(({ weight = 1 }) => Number(weight)), faults };
}

function mirrorOf(
  { kind, namespace }: Resource,
  { mirror }: FilterParts,
  backends: Backends,
  served: readonly (string | undefined)[],
): { readonly route: Json; readonly faults: readonly ObjectFault[] } {
  if (mirror === undefined) return { route: {}, faults: [] };
  try {
    const upstream = backends.upstreamOf(mirror.ref, { group: GROUP, kind, namespace }, mirror.field);
    if (served.includes(upstream))
      throw unsupported(mirror.field, 'expected another Service than those of backendRefs');
    const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'];
    return { route: { mirror: { upstream, share: mirror.share, methods } }, faults: [] };
  } catch (error) {
    if (!(error instanceof ObjectFault) || error.reason === 'UnsupportedValue') throw error;
    // Nobody waits for the copies: the requests themselves are served.
    return { route: {}, faults: [error] };
  }
}

// A prefix is replaced where one was matched.
function checkPrefixes(matches: readonly Json[], { rewrite, redirect }: FilterParts, field: string): void {
  const replaces = rewrite?.['replacePrefix'] !== undefined || redirect?.['replacePrefix'] !== undefined;
  const isPrefix = (match: Json): boolean => (jsonOf(match['path'])['type'] ?? 'PathPrefix') === 'PathPrefix';
  if (replaces && !matches.every(isPrefix))
    throw unsupported(`${field}.filters`, 'ReplacePrefixMatch needs matches of type PathPrefix');
}

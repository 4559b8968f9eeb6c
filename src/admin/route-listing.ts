import type { FastifyInstance } from 'fastify';
import { policyList, type PolicyName } from '../policies/order.ts';
import { stepOf, type FileFacts } from '../policies/policy-facts.ts';
import type { Route } from '../routing/route.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { operation } from './operation.ts';

/** One route as operators see it, in `gatehouse routes` and at the admin listener. */
export interface ListedRoute {
  readonly id: string;
  /** The team whose file it stands in; absent where the configuration has none. */
  readonly team?: string;
  readonly door: 'proxy' | 'handler';
  readonly methods: string;
  readonly host: string;
  readonly path: string;
  readonly upstream: string;
  readonly authentication: string;
  readonly authorization: string;
  readonly limits: string;
  readonly stages: string;
  readonly origin: string;
}

/** The upstreams, as far as the listing needs them. */
type KnownUpstreams = Pick<Snapshot['upstreams'], 'find'>;

const NONE: KnownUpstreams = { find: () => undefined };

/**
 * Lists routes by path, then by method.
 *
 * @param file what of the same snapshot policies refer to.
 * @param upstreams those of the same snapshot; the listing tells of which the targets are not verified.
 */
export function describeRoutes(
  routes: readonly Route[],
  upstreams: KnownUpstreams = NONE,
  file: FileFacts = {},
): ListedRoute[] {
  const hasTeams = routes.some(({ team }) => team !== undefined);
  return routes
    .map((route) => describeRoute(route, upstreams, file, hasTeams))
    .sort((a, b) => compare(a.path, b.path) || compare(a.methods, b.methods) || compare(a.id, b.id));
}

function describeRoute(
  route: Route,
  upstreams: KnownUpstreams,
  file: FileFacts,
  hasTeams: boolean,
): ListedRoute {
  const conditions = route.conditions.map(({ text }) => ` [${text}]`);
  return {
    id: route.id,
    ...(hasTeams && { team: route.team ?? '-' }),
    door: route.door,
    methods: route.match.methods.join(',') || '*',
    host: route.match.hosts.join(',') || '*',
    path: route.pattern.source + conditions.join('') + readingOf(route),
    upstream: upstreamOf(route, upstreams),
    authentication: described(route, 'authentication'),
    authorization: described(route, 'authorization'),
    limits: described(route, 'rateLimit', file),
    stages: stepsOf(route).join(' → ') || '-',
    origin: route.origin,
  };
}

// What is usual is not said.
function readingOf({ paths: { encodedSlashes, trailingSlash }, priority }: Route): string {
  const slashes = encodedSlashes === 'pass' ? ' [%2F]' : '';
  const end =
    trailingSlash === 'refuse' ? '' : ` [slash ${trailingSlash === 'ignore' ? 'ignored' : 'distinct'}]`;
  return `${slashes}${end}${priority === 0 ? '' : ` [priority ${priority}]`}`;
}

function upstreamOf(route: Route, upstreams: KnownUpstreams): string {
  const name = route.upstream ?? route.action.target ?? '-';
  const shown = upstreams.find(name)?.options.tls?.verify === false ? `${name} (not verified)` : name;
  return [shown, ...(route.action.beside ?? [])].join(' + ');
}

function described({ policies }: Route, name: PolicyName, file?: FileFacts): string {
  const options: unknown = policies[name];
  if (options === undefined) return '-';
  return policyList.find((policy) => policy.name === name)?.describe(options, file) ?? '-';
}

// Two policies can be one step, such as those about the size of a body.
function stepsOf({ seats }: Route): readonly string[] {
  return [...new Set(policyList.filter(({ name }) => seats[name] !== undefined).map(stepOf))];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** A route on its own: where it is declared, and what holds on it in the order in which requests meet it. */
export interface RouteDetail {
  readonly id: string;
  /** The team whose file it stands in. */
  readonly team?: string | undefined;
  readonly origin: string;
  readonly policies: readonly {
    readonly policy: PolicyName;
    /** Its options in a few words. */
    readonly says: string;
    /** Whether it has a stage of its own here. */
    readonly enforced: boolean;
  }[];
}

/** Describes one route. */
export function describeDetail({ id, team, origin, policies, seats }: Route, file: FileFacts): RouteDetail {
  const listed = policyList.flatMap((policy) => {
    const name = policy.name as PolicyName;
    const options: unknown = policies[name];
    if (options === undefined) return [];
    return [{ policy: name, says: policy.describe(options, file), enforced: seats[name] !== undefined }];
  });
  return { id, ...(team !== undefined && { team }), origin, policies: listed };
}

/** Shows one route of the configuration in force. */
export function serveRoute(server: FastifyInstance, snapshots: Snapshots): void {
  const page = operation('showRoute', 'read', { summary: 'One route, and the policies in force on it' });
  server.get<{ Params: { id: string } }>('/routes/:id', page, ({ params: { id } }, reply) => {
    const { table, source } = snapshots.current;
    const route = table.routes.find((one) => one.id === id);
    if (route === undefined) return reply.code(404).send({ error: `there is no route "${id}"` });
    return reply.send(describeDetail(route, source.value));
  });
}

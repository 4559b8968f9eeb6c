import type { FastifyInstance, FastifyReply } from 'fastify';
import type { z } from 'zod';
import { clientsAnswer } from '../traffic/client-rows.ts';
import {
  operationAnswer,
  operationRows,
  viewAnswer,
  viewRows,
  type OperationDeps,
} from '../traffic/operation-rows.ts';
import { Overview, type OverviewDeps } from '../traffic/overview.ts';
import { orderBy, shownRow } from '../traffic/route-rows.ts';
import { firstOf } from '../traffic/slices.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StreamHub } from '../traffic/stream/stream-hub.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { upstreamRow } from '../traffic/upstream-rows.ts';
import { serveExchanges } from './exchange-pages.ts';
import { operation } from './operation.ts';
import { listed, partOf, queries, readQuery, workerNote } from './traffic-queries.ts';
import { serveStream } from './traffic-stream.ts';

function page(name: string, summary: string, query?: z.ZodType): ReturnType<typeof operation> {
  return operation(name, 'read', { summary, ...(query && { query }) });
}

const NAMES_FOR = 'private, no-cache';

interface Named {
  readonly Params: { readonly name: string };
}

/** Shows the traffic of this process: routes, upstreams, operations and callers, kept exchanges, and all of it live. */
export function serveTraffic(
  server: FastifyInstance,
  traffic: Traffic | undefined,
  { logger, ...others }: Omit<OverviewDeps, 'traffic'> & { readonly logger: Logger },
): StreamHub | undefined {
  if (traffic === undefined) return undefined;
  const deps = { ...others, traffic };
  const overview = new Overview(deps);
  const hub = new StreamHub(overview, ({ view, id, error, isNew }) => {
    others.metrics.admin.viewFailed(view);
    if (isNew) logger.error({ err: error, view, id }, 'a live view of the console cannot be made');
  });
  deps.traffic.onTick(() => void hub.tick());
  server.get(
    '/traffic',
    page('showTraffic', 'How it is on the whole: worst routes, trouble, the process', queries.range),
    async ({ query }, reply) => {
      const asked = readQuery(queries.range, query, reply);
      return asked && { ...(await overview.whole(asked.range)), ...workerNote() };
    },
  );
  server.get(
    '/traffic/picture',
    page('showPicture', 'Routes, upstreams and targets, as boxes and edges', queries.picture),
    async ({ query }, reply) => {
      const asked = readQuery(queries.picture, query, reply);
      return asked && { ...(await overview.picture.draw(asked.select)), ...workerNote() };
    },
  );
  server.get(
    '/traffic/clients',
    page('listClients', 'Who asks most, and who is limited', queries.list),
    async ({ query }, reply) => {
      const asked = readQuery(queries.list, query, reply);
      return asked && { ...clientsAnswer(deps.traffic.clients, asked), ...workerNote() };
    },
  );
  serveRoutes(server, overview);
  serveUpstreams(server, overview);
  serveOperations(server, { ...deps, history: deps.traffic.history, kept: deps.traffic.kept });
  serveExchanges(server, deps.traffic.kept);
  serveStream(server, hub);
  return hub;
}

function serveRoutes(server: FastifyInstance, overview: Overview): void {
  server.get(
    '/traffic/routes',
    page('listRouteTraffic', 'Routes with their rates, page by page', queries.routes),
    async ({ query, headers }, reply) => {
      const asked = readQuery(queries.routes, query, reply);
      if (asked === undefined) return reply;
      if (asked.names) return sendNames(overview, headers['if-none-match'], reply);
      const { total, rows } = await overview.rows.list({ ...asked, grouped: asked.group === 'prefix' });
      return listed(rows.map(shownRow), total, asked.from);
    },
  );
  server.get<{ Params: { id: string } }>(
    '/traffic/routes/:id',
    page('showRouteTraffic', 'One route: curves, refusals, callers, slowest requests', queries.range),
    async ({ params, query }, reply) => {
      const asked = readQuery(queries.range, query, reply);
      if (asked === undefined) return reply;
      const answer = await overview.route(params.id, asked.range);
      if (answer !== undefined) return { ...answer, ...workerNote() };
      return reply
        .code(404)
        .send({ error: `there is no route "${params.id}"; see /traffic/routes?names=true` });
    },
  );
}

// All names at once: they change with the configuration only, and who has them asks whether they still hold.
async function sendNames(
  overview: Overview,
  known: string | undefined,
  reply: FastifyReply,
): Promise<unknown> {
  const etag = `"${overview.deps.reloads.loadedAt}"`;
  reply.header('etag', etag).header('cache-control', NAMES_FOR);
  if (known === etag) return reply.code(304).send();
  const names = await overview.rows.names();
  const rows = names.map(({ id, path, methods, upstream, group }) => ({
    id,
    path,
    methods,
    upstream,
    group,
  }));
  return listed(rows, rows.length, 0);
}

function serveUpstreams(server: FastifyInstance, overview: Overview): void {
  const { metrics, traffic, snapshots } = overview.deps;
  server.get(
    '/traffic/upstreams',
    page('listUpstreamTraffic', 'Upstreams with the rates of their attempts', queries.list),
    async ({ query }, reply) => {
      const asked = readQuery(queries.list, query, reply);
      if (asked === undefined) return reply;
      const text = asked.q?.toLowerCase() ?? '';
      const rows = snapshots.current.upstreams
        .all()
        .filter(({ name }) => name.toLowerCase().includes(text))
        .map((one) => upstreamRow(one, metrics.flows, traffic.history));
      const wanted = asked.from + asked.limit;
      const sorted = await firstOf(rows, orderBy(asked.sort ?? 'upstream', 'upstream'), wanted);
      return listed(sorted.slice(asked.from), rows.length, asked.from);
    },
  );
  server.get<Named>(
    '/traffic/upstreams/:name',
    page('showUpstreamTraffic', 'One upstream: curves, targets, routes', queries.range),
    async ({ params, query }, reply) => {
      const asked = readQuery(queries.range, query, reply);
      if (asked === undefined) return reply;
      const answer = await overview.upstream(params.name, asked.range);
      if (answer !== undefined) return { ...answer, ...workerNote() };
      return reply.code(404).send({ error: `there is no upstream "${params.name}"` });
    },
  );
}

function serveOperations(server: FastifyInstance, deps: OperationDeps): void {
  server.get(
    '/traffic/operations',
    page('listOperations', 'GraphQL operations by cost, rate, time and errors', queries.list),
    async ({ query }, reply) => {
      const asked = readQuery(queries.list, query, reply);
      if (asked === undefined) return reply;
      const text = asked.q?.toLowerCase() ?? '';
      const rows = operationRows(deps).filter(({ name }) => name.toLowerCase().includes(text));
      return partOf(rows.toSorted(orderBy(asked.sort ?? '-cost', 'name')), asked);
    },
  );
  server.get<Named>(
    '/traffic/operations/:name',
    page('showOperation', 'One GraphQL operation, with the waterfall of a run', queries.operation),
    async ({ params, query }, reply) => {
      const asked = readQuery(queries.operation, query, reply);
      if (asked === undefined) return reply;
      const answer = operationAnswer(deps, params.name, asked);
      if (answer !== undefined) return { ...answer, ...workerNote() };
      return reply.code(404).send({
        error: `no operation "${params.name}" was run since the process began, or its name is counted as "other"`,
      });
    },
  );
  server.get(
    '/traffic/views',
    page('listViews', 'Views and aggregates that have run', queries.list),
    async ({ query }, reply) => {
      const asked = readQuery(queries.list, query, reply);
      return asked && partOf(viewRows(deps), asked);
    },
  );
  server.get<Named>(
    '/traffic/views/:name',
    page('showView', 'One view: its sections, with the waterfall of a run'),
    async ({ params }, reply) => {
      const answer = viewAnswer(deps, params.name);
      if (answer !== undefined) return { ...answer, ...workerNote() };
      return reply.code(404).send({ error: `no view "${params.name}" has run since the process began` });
    },
  );
}

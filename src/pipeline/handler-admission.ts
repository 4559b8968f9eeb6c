import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { Problem } from '../problems/problem.ts';
import { admit, leaveBehind, type Done } from '../routing/admission.ts';
import { hasEncodedSlash } from '../routing/request-path.ts';
import { refuseEncodedSlash } from '../routing/other-spellings.ts';
import { conditionsHold, searchFor } from '../routing/segment-tree.ts';
import { hostMatches } from '../routing/host-trees.ts';
import type { Route } from '../routing/route.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { mergedBody } from '../exchange/merged-body.ts';
import { coverProblems } from './covered-problems.ts';
import { shadowOf } from './background-runs.ts';
import { RivalHandlers } from './rival-handlers.ts';
import type { SeatedGuards } from './seated-guards.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers a request that a handler does not take, by the routes of the file. */
    otherwise(request: FastifyRequest, reply: FastifyReply): void;
  }
}

/**
 * Gives each Fastify route of a controller a hook that enters the stages of its compiled route, before the body is
 * read. Which is which is settled when the route is added; a request is matched once, by Fastify.
 *
 * @param snapshots the first one must have the routes by then: Nest adds its own when the application is initialized.
 * @param guards tells which handlers have guards of their own.
 */
export function admitHandlers(fastify: FastifyInstance, snapshots: Snapshots, guards: SeatedGuards): void {
  const rivals = new RivalHandlers(fastify, snapshots.current.table.routes);
  fastify.addHook('onRoute', (options: RouteOptions) => {
    // Fails closed: a route that says nothing is admitted here.
    if (options.config?.admitsItself === true) return;
    const { url } = options;
    const id = rivals.routeFor(options, snapshots.current.table.handlersAt(patternOf(url)))?.id;
    if (id === undefined) return;
    const hasParameters = url.includes(':');
    const isGuarded = guards.hasRoute(id);
    const enter = (request: FastifyRequest, reply: FastifyReply, done: Done): void => {
      // Fastify takes an empty segment for a parameter; Nest does not, but would only say so after the body.
      if (hasParameters && Object.values(request.params as object).includes(''))
        return done(new Problem('route-not-found'));
      // It has met its stages: nobody but the cache asks, for later clients.
      if (shadowOf(request.raw) !== undefined) return goOn(request, reply, done);
      const route = snapshots.for(request.exchange).table.byId(id);
      // Fails closed: the routes of handlers are fixed, so that each snapshot has it.
      if (route === undefined) return done(new Problem('route-not-found'));
      // Asked for more than Fastify can look at: what does not fit is for the routes of the file.
      if (!fitsHandler(route, request.exchange)) return fastify.otherwise(request, reply);
      if (hasEncodedSlash(request.exchange.path)) {
        try {
          refuseEncodedSlash(route);
        } catch (error) {
          return done(error as Error);
        }
      }
      const pass: Done = (error) => (error === undefined ? goOn(request, reply, done) : done(error));
      admit(route, reply, pass, isGuarded);
    };
    options.onRequest = [...[options.onRequest ?? []].flat(), enter];
    options.preParsing = [...[options.preParsing ?? []].flat(), mergedBody];
  });
}

function goOn(request: FastifyRequest, reply: FastifyReply, done: Done): void {
  const { exchange } = request;
  if (exchange.route !== undefined) coverProblems(exchange, exchange.route);
  leaveBehind(request, reply);
  done();
}

function fitsHandler(route: Route, exchange: Exchange): boolean {
  const { match, conditions } = route;
  if (match.hosts.length > 0 && !hostMatches(match.hosts, exchange.host)) return false;
  return conditions.length === 0 || conditionsHold(route, searchFor(exchange, exchange.path));
}

// Fastify writes `:id`; patterns here write `{id}`. Both know `/*`.
function patternOf(url: string): string {
  const path = url.replace(/\/:(\w+)(?=\/|$)/g, '/{$1}');
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

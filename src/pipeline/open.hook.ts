import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostOf } from '../exchange/absolute-form.ts';
import { Exchange, type Answer } from '../exchange/exchange.ts';
import { liftCredentials } from '../exchange/lifted-credentials.ts';
import { preflightOfAll } from '../policies/seats.ts';
import type { Stage } from '../policies/stage.ts';
import { Problem, retryAfterSeconds } from '../problems/problem.ts';
import { splitTarget } from '../routing/request-path.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { limitByListener } from './listener-limits.ts';
import { traceOf } from '../telemetry/trace-context.ts';
import { preflightMethod } from '../exchange/preflight.ts';
import { refuseDoubt } from './address-doubt.ts';
import type { HookDeps } from './hook-deps.ts';
import { refuseHead, refuseMisdirected, shownMethod } from './http2-requests.ts';
import { httpsRedirect } from './https-redirect.ts';
import { checkTarget, hasSaneHost, isKnownVersion } from './request-target.ts';

const SANE_REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** The one that `node:http` meets (RFC 9110 section 10.1.1); looked for as it does. */
const KNOWN_EXPECTATION = /(?:^|\W)100-continue(?:$|\W)/i;
const NO_HOST = { detail: 'A request needs one Host header with a host in it.' };
const NO_STAGES: readonly Stage[] = Object.freeze([]);

type OpenDeps = Pick<HookDeps, 'draining' | 'answers' | 'connections' | 'recorder' | 'traffic'>;

/** Stage 0: makes the exchange of a request. */
export class OpenHook {
  readonly #snapshots: Snapshots;
  readonly #deps: OpenDeps;

  constructor(snapshots: Snapshots, deps: OpenDeps) {
    this.#snapshots = snapshots;
    this.#deps = deps;
  }

  /** Makes the exchange; never throws, so that every request has one to be logged with. */
  open(request: IncomingMessage, response: ServerResponse): Exchange {
    const snapshot = this.#snapshots.current;
    snapshot.hold();
    liftCredentials(request, snapshot.edge.keyPlaces);
    const { path, query } = splitTarget(request.url ?? '/');
    const id = request.headers['x-request-id'];
    const { tracing } = snapshot.edge;
    const watch = this.#deps.traffic?.watch(request);
    const origin = snapshot.edge.clientAddress.of(request);
    const exchange = new Exchange({
      id: typeof id === 'string' && SANE_REQUEST_ID.test(id) ? id : randomUUID(),
      trace: tracing === undefined ? traceOf(request.headers, watch) : tracing.begin(request, watch),
      clientAddress: origin.clientAddress,
      addressDoubt: origin.doubt,
      scheme: origin.scheme,
      host: hostOf(request.headers.host),
      path,
      query,
      method: shownMethod(request),
      request,
      response,
      snapshot,
    });
    tracing?.follow(exchange);
    if (watch !== undefined) this.#deps.traffic?.watched(exchange);
    this.#deps.answers.watch(exchange);
    limitByListener(exchange);
    if (this.#deps.recorder?.isOn === true) this.#deps.recorder.opened(exchange);
    // Answers end their connections while the gateway drains, so that clients go elsewhere.
    if (this.#deps.draining.active) {
      response.shouldKeepAlive = false;
      this.#deps.connections.arrived(exchange);
    }
    return exchange;
  }

  /** The stages that every request meets before a route is looked for. */
  entranceOf(exchange: Exchange): readonly Stage[] {
    return this.#snapshots.for(exchange).edge.entrance;
  }

  /** The stages that the preflight of a browser meets, whose route is written on the exchange; none for other requests. */
  preflightOf(exchange: Exchange): readonly Stage[] {
    const method = preflightMethod(exchange.request);
    if (method === undefined) return NO_STAGES;
    const { table, edge } = this.#snapshots.for(exchange);
    const routes = table.preflightRoutes(exchange, method);
    if (routes.length === 0) exchange.preflighted = routes;
    if (routes.length === 0) return edge.unrouted.preflight;
    const route = routes.find(({ preflight }) => preflight.length > 0);
    if (route === undefined) return NO_STAGES;
    exchange.route = route;
    exchange.preflighted = routes;
    return preflightOfAll(routes);
  }

  /**
   * Checks what must hold before a route is looked for.
   *
   * @param target the request target as it was sent.
   * @returns what the gateway itself answers, once the request has met what every one meets.
   * @throws {Problem} `request-malformed`, `expectation-failed`, `method-not-implemented`,
   * `headers-too-large`, `misdirected-request`, or `rate-limited` by the flood limit.
   */
  check(exchange: Exchange, target: string): Answer | undefined {
    const { request } = exchange;
    if (!isKnownVersion(request)) throw new Problem('request-malformed');
    const isHttp2 = request.httpVersionMajor === 2;
    if (isHttp2) refuseHead(exchange);
    // A target that Fastify was given as it came is a path in its normal form; only another one is looked at again.
    const answer = request.url === target ? undefined : checkTarget(exchange, target);
    if (!hasSaneHost(request)) throw new Problem('request-malformed', NO_HOST);
    refuseDoubt(exchange);
    const { expect } = request.headers;
    if (expect !== undefined && !KNOWN_EXPECTATION.test(expect)) throw new Problem('expectation-failed');
    const waitMs = exchange.snapshot?.edge.flood?.waitMs(exchange.clientAddress) ?? 0;
    if (waitMs > 0)
      throw new Problem('rate-limited', {
        headers: { 'retry-after': retryAfterSeconds(waitMs) },
        by: 'floodLimit',
      });
    if (isHttp2) refuseMisdirected(exchange);
    return answer ?? httpsRedirect(exchange);
  }
}

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Exchange } from '../exchange/exchange.ts';
import type { Draining } from '../health/draining.ts';
import type { AnswerStore } from '../policies/cache/answer-store.ts';
import type { Stage } from '../policies/stage.ts';
import { Problem, retryAfterSeconds } from '../problems/problem.ts';
import { normalizePath, splitTarget } from '../routing/request-path.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { continueTrace } from '../telemetry/trace-context.ts';
import type { Connections } from './connections.ts';

const SANE_REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/**
 * Labels with a dot between them and perhaps one at the end, or an address. Nothing encoded and no empty label: a name in
 * another spelling would get past the routes of its host to those of all hosts.
 */
const SANE_HOST =
  /^(?:[A-Za-z0-9_~!$&'()*+,;=-]+(?:\.[A-Za-z0-9_~!$&'()*+,;=-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** The one that `node:http` meets (RFC 9110 section 10.1.1); looked for as it does. */
const KNOWN_EXPECTATION = /(?:^|\W)100-continue(?:$|\W)/i;

/** Where a malformed request is routed; no handler sees it, because the open stage refuses it first. */
const NOWHERE = '/';

/** Makes the target that Fastify routes by the same normal form that the route table matches. */
export function routableTarget(target: string): string {
  const { path, query } = splitTarget(target);
  const normal = normalizePath(path);
  if (normal === path) return target;
  return normal === undefined ? NOWHERE : normal + query;
}

/** What the open stage needs of other rooms. */
export interface OpenDeps {
  readonly draining: Draining;
  /** The stored answers that requests of any route may make invalid. */
  readonly answers: AnswerStore;
  /** The connections that a drain ends. */
  readonly connections: Connections;
}

/** Stage 0: makes the exchange of a request. */
export class OpenHook {
  readonly #snapshots: Snapshots;
  readonly #draining: Draining;
  readonly #answers: AnswerStore;
  readonly #connections: Connections;

  constructor(snapshots: Snapshots, deps: OpenDeps) {
    const { draining, answers, connections } = deps;
    this.#snapshots = snapshots;
    this.#draining = draining;
    this.#answers = answers;
    this.#connections = connections;
  }

  /** Makes the exchange; never throws, so that every request has one to be logged with. */
  open(request: IncomingMessage, response: ServerResponse): Exchange {
    const { headers } = request;
    const { path, query } = splitTarget(request.url ?? NOWHERE);
    const id = headers['x-request-id'];
    const snapshot = this.#snapshots.current;
    snapshot.hold();
    const origin = snapshot.edge.clientAddress.of(request);
    const exchange = new Exchange({
      id: typeof id === 'string' && SANE_REQUEST_ID.test(id) ? id : randomUUID(),
      trace: continueTrace(
        headers['traceparent'] as string | undefined,
        headers['tracestate'] as string | undefined,
      ),
      clientAddress: origin.clientAddress,
      scheme: origin.scheme,
      host: hostOf(headers.host),
      path,
      query,
      request,
      response,
      snapshot,
    });
    this.#answers.watch(exchange);
    // Answers end their connections while the gateway drains, so that clients go elsewhere.
    if (this.#draining.active) {
      response.shouldKeepAlive = false;
      this.#connections.arrived(exchange);
    }
    return exchange;
  }

  /** The stages that every request meets before a route is looked for. */
  entranceOf(exchange: Exchange): readonly Stage[] {
    return this.#snapshots.for(exchange).edge.entrance;
  }

  /**
   * Checks what must hold before a route is looked for.
   *
   * @param target the request target as it was sent.
   * @throws {Problem} `request-malformed`, or `rate-limited` by the flood limit.
   */
  check(exchange: Exchange, target: string): void {
    const { request } = exchange;
    if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0')
      throw new Problem('request-malformed');
    if (!hasSaneHost(request)) {
      throw new Problem('request-malformed', {
        detail: 'A request needs one Host header with a host in it.',
      });
    }
    const { expect } = request.headers;
    if (expect !== undefined && !KNOWN_EXPECTATION.test(expect)) throw new Problem('expectation-failed');
    // A target that Fastify was given as it came is in its normal form; only another one is looked at again.
    if (request.url !== target && normalizePath(splitTarget(target).path) === undefined) {
      throw new Problem('request-malformed', {
        detail: 'The path is not in a form that every server reads alike.',
      });
    }
    const waitMs = exchange.snapshot?.edge.flood?.waitMs(exchange.clientAddress) ?? 0;
    if (waitMs > 0)
      throw new Problem('rate-limited', {
        headers: { 'retry-after': retryAfterSeconds(waitMs) },
        by: 'floodLimit',
      });
  }
}

// One and no other (RFC 9112 section 3.2): the parsed headers would hide a second one.
function hasSaneHost({ rawHeaders, headers, httpVersion }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts === 0) return httpVersion === '1.0';
  return hosts === 1 && SANE_HOST.test(headers.host ?? '');
}

function hostOf(header: string | undefined): string {
  if (header === undefined) return '';
  const end = header.startsWith('[') ? header.indexOf(']') + 1 : header.indexOf(':');
  const host = (end > 0 ? header.slice(0, end) : header).toLowerCase();
  // The root label may be written out; it is the same host.
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

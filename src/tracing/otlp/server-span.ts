import { SpanKind, TraceFlags, type Attributes, type Link } from '@opentelemetry/api';
import type { IncomingMessage } from 'node:http';
import { shownPathOf, shownReferer } from '../../exchange/shown-target.ts';
import type { Exchange, SocketFacts } from '../../exchange/exchange.ts';
import { maySayASecret } from '../../telemetry/secret-names.ts';
import { redacted } from '../../telemetry/redaction.ts';
import { toldField } from '../../telemetry/told-values.ts';
import { exchangeFault } from '../exchange-fault.ts';
import type { FollowedTrace } from '../followed-trace.ts';
import type { ShownRules } from '../tracing-rules.ts';
import { HTTP, OWN, RPC } from './attribute-names.ts';
import { FinishedSpan, type SpanFrame } from './finished-span.ts';
import { shownQuery } from './shown-url.ts';

/** Those that the conventions know; any other one is shown as it came, bounded, and is `_OTHER` in what is low in cardinality. */
const METHODS: ReadonlySet<string> = new Set([
  'CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE',
]); // prettier-ignore
const OTHER = '_OTHER';
const SWITCHED = 101;
const LONGEST_METHOD = 32;
const LONGEST_AGENT = 256;
const SCHEME_PORTS = { http: 80, https: 443 } as const;

/** The span of an exchange, as a server (semantic conventions for HTTP spans). */
export function serverSpan(exchange: Exchange, trace: FollowedTrace, frame: SpanFrame): FinishedSpan {
  const { method, route } = exchange;
  const isKnown = METHODS.has(method);
  const shownMethod = isKnown ? method : 'HTTP';
  return new FinishedSpan(frame, {
    name: route === undefined ? shownMethod : `${shownMethod} ${route.match.path}`,
    kind: SpanKind.SERVER,
    spanId: trace.spanId,
    parentId: trace.parentId,
    isParentRemote: true,
    startedAt: exchange.startedAt,
    endedAt: performance.now(),
    error: exchangeFault(exchange),
    attributes: attributesOf(exchange, trace),
    links: linksOf(trace),
  });
}

function attributesOf(exchange: Exchange, trace: FollowedTrace): Attributes {
  const { request, route, problem, scheme } = exchange;
  const isKnown = METHODS.has(exchange.method);
  const attributes: Attributes = {
    [HTTP.method]: isKnown ? exchange.method : OTHER,
    [HTTP.path]: shownPathOf(exchange),
    [HTTP.scheme]: scheme,
    [HTTP.clientAddress]: exchange.clientAddress,
    [HTTP.protocolVersion]: protocolOf(request),
    [OWN.requestId]: exchange.id,
  };
  if (!isKnown) attributes[HTTP.originalMethod] = exchange.method.slice(0, LONGEST_METHOD);
  if (exchange.host !== '') addServer(attributes, exchange);
  if (exchange.query.length > 1) attributes[HTTP.query] = shownQuery(exchange.query, trace.rules.shown.query);
  if (route !== undefined) {
    attributes[HTTP.route] = route.match.path;
    attributes[OWN.route] = route.id;
  }
  const { headersSent, statusCode } = exchange.response;
  // Nobody was told one whom nothing was sent to; a handshake is answered beside the response.
  if (exchange.status > 0 && (headersSent || statusCode === SWITCHED)) attributes[HTTP.status] = statusCode;
  const agent = request.headers['user-agent'];
  if (agent !== undefined) attributes[HTTP.userAgent] = redacted(agent).slice(0, LONGEST_AGENT);
  const { remoteAddress, remotePort } = request.socket;
  if (remoteAddress !== undefined) attributes[HTTP.peerAddress] = remoteAddress;
  if (remotePort !== undefined) attributes[HTTP.peerPort] = remotePort;
  const error = exchangeFault(exchange) ?? (problem?.code === 'client-closed' ? problem.code : undefined);
  if (error !== undefined) attributes[HTTP.errorType] = error;
  if (exchange.grpcStatus !== undefined) attributes[RPC.status] = exchange.grpcStatus;
  addOutcome(attributes, exchange, trace);
  addHeaders(attributes, exchange, trace.rules.shown);
  return attributes;
}

function addServer(attributes: Attributes, { host, scheme, request }: Exchange): void {
  attributes[HTTP.serverAddress] = host;
  const said = /:(\d{1,5})$/.exec(request.headers.host ?? '')?.[1];
  attributes[HTTP.serverPort] = said === undefined ? SCHEME_PORTS[scheme] : Number(said);
}

function addOutcome(attributes: Attributes, exchange: Exchange, trace: FollowedTrace): void {
  const refused = exchange.problem ?? exchange.denied;
  const left = trace.spans?.left ?? 0;
  if (refused !== undefined) {
    attributes[OWN.refusedStage] = refused.entry.stage;
    attributes[OWN.refusedCode] = refused.code;
  }
  if (exchange.upstream !== undefined) attributes[OWN.upstream] = exchange.upstream;
  if (exchange.socket !== undefined) addSocket(attributes, exchange.socket);
  if (exchange.cached !== undefined) attributes[OWN.cache] = 'hit';
  if (exchange.isReplayed) attributes[OWN.replayed] = true;
  if (!exchange.response.writableFinished && exchange.socket === undefined) attributes[OWN.cut] = true;
  if (left > 0) attributes[OWN.left] = left;
  // Services behind were told that nobody records it.
  if (!trace.isSampled) attributes[OWN.kept] = 'afterwards';
}

function addSocket(attributes: Attributes, { by, code, in: up, out: down }: SocketFacts): void {
  attributes[OWN.socketBy] = by;
  attributes[OWN.socketCode] = code;
  attributes[OWN.socketMessagesIn] = up.messages;
  attributes[OWN.socketMessagesOut] = down.messages;
}

/** Header fields that the configuration lists; never one whose name may be that of a secret. */
function addHeaders(attributes: Attributes, exchange: Exchange, shown: ShownRules): void {
  const { request, response } = exchange;
  for (const name of shown.requestHeaders) {
    const value = request.headers[name];
    if (value !== undefined && !maySayASecret(name))
      attributes[HTTP.requestHeader + name] = [value].flat().map((one) => {
        const told = toldField(name, one);
        return name === 'referer' ? shownReferer(told, exchange) : told;
      });
  }
  for (const name of shown.responseHeaders) {
    const value = response.getHeader(name);
    if (value !== undefined && !maySayASecret(name))
      attributes[HTTP.responseHeader + name] = [value].flat().map((one) => toldField(name, String(one)));
  }
}

function protocolOf({ httpVersion }: IncomingMessage): string {
  return httpVersion === '2.0' ? '2' : httpVersion;
}

function linksOf({ link }: FollowedTrace): Link[] {
  if (link === undefined) return [];
  const { traceId, spanId, sampled } = link;
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return [{ context: { traceId, spanId, traceFlags, isRemote: true } }];
}

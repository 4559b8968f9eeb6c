import type { Exchange } from '../../exchange/exchange.ts';
import { grpcDialect, type GrpcDialect } from '../../problems/grpc-refusal.ts';
import { Problem } from '../../problems/problem.ts';
import { timeoutMs } from '../../upstreams/grpc/call-timeout.ts';
import { outboundHeaders, type ToldUpstream } from '../../upstreams/http/request-headers.ts';
import type { PassedCall } from '../../upstreams/grpc/passing.ts';
import type { PassGrpcOptions } from './pass-grpc.source.ts';

/** What is said anew, or means nothing to a service of gRPC. */
const SAID_ANEW: ReadonlySet<string> = new Set([
  'content-length',
  'content-type',
  'grpc-timeout',
  'x-request-deadline-ms',
]);

/** What browsers say of a transport that the service never sees; they cannot decompress messages. */
const OF_BROWSERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'grpc-accept-encoding',
  'x-grpc-web',
]);

/**
 * How the client of an exchange speaks gRPC.
 *
 * @throws {Problem} when it does not, or not over this version of HTTP.
 */
export function dialectOf({ request }: Exchange, { web }: PassGrpcOptions): GrpcDialect {
  const { headers, httpVersionMajor } = request;
  const dialect = grpcDialect(headers['content-type']);
  if (dialect === undefined || (dialect !== 'grpc' && !web))
    throw new Problem('media-type-unsupported', {
      detail: `This path takes calls of gRPC${web ? ' and gRPC-Web' : ''}.`,
    });
  if (dialect === 'grpc' && httpVersionMajor < 2)
    throw new Problem('request-malformed', { detail: 'gRPC needs HTTP/2; over HTTP/1.1 there is gRPC-Web.' });
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity')
    throw new Problem('media-type-unsupported', { detail: 'Calls of gRPC have no Content-Encoding.' });
  return dialect;
}

/**
 * What goes out for a call.
 *
 * @param upstream that gets it.
 * @throws {Problem} `request-malformed` for a timeout that is none.
 */
export function passedCall(
  exchange: Exchange,
  dialect: GrpcDialect,
  { stripPrefix, upstream }: { readonly stripPrefix: string | undefined; readonly upstream: ToldUpstream },
): PassedCall {
  const { path, query, headerEdits, startedAt, request, route } = exchange;
  // One that nobody has asked for bounds the time until an answer opens, as everywhere, and ends no stream.
  const deadlineAt = route?.saysDeadline === true ? exchange.deadlineAt : Infinity;
  const fields = ['content-type', contentType(request.headers['content-type'] as string)];
  const listed = outboundHeaders(exchange, headerEdits, upstream);
  for (let i = 0; i < listed.length; i += 2) {
    const name = (listed[i] as string).toLowerCase();
    if (SAID_ANEW.has(name) || (dialect !== 'grpc' && OF_BROWSERS.has(name))) continue;
    fields.push(name, listed[i + 1] as string);
  }
  const asked = request.headers['grpc-timeout'];
  const wantedAt = asked === undefined ? Infinity : startedAt + timeoutOf(asked);
  return {
    path: (stripPrefix === undefined ? path : path.slice(stripPrefix.length)) + query,
    fields,
    endsAt: Math.min(wantedAt, deadlineAt),
    isHurried: wantedAt < exchange.deadlineAt,
  };
}

/** What the target is told: the coding of the messages, and nothing of the way to the gateway. */
function contentType(said: string): string {
  return said
    .toLowerCase()
    .replace(/^application\/grpc(?:-web)?(?:-text)?/, 'application/grpc')
    .trim();
}

function timeoutOf(asked: string | string[]): number {
  const ms = timeoutMs(String(asked));
  if (Number.isNaN(ms))
    throw new Problem('request-malformed', { detail: '`grpc-timeout` is up to eight digits and a unit.' });
  return ms;
}

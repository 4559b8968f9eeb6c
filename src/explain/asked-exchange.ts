import { randomUUID } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { absoluteForm, hostOf, isSaneHost } from '../exchange/absolute-form.ts';
import { Exchange } from '../exchange/exchange.ts';
import { liftCredentials } from '../exchange/lifted-credentials.ts';
import { normalizePath, splitTarget } from '../routing/request-path.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { continueTrace } from '../telemetry/trace-context.ts';
import { ExplainFault, type ExplainInput } from './explain.schema.ts';
import { TOKEN } from '../config/field-name.ts';

const REQUEST = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +(\S+)$/;
/** What no field may say (RFC 9110 section 5.5). */
const BAD_VALUE = /[\p{Cc}--\t]/v;
const GRPC_TYPE = /^application\/grpc(?:$|[+;\s])/i;
const HTTP_1 = { httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 };
const HTTP_2 = { httpVersion: '2.0', httpVersionMajor: 2, httpVersionMinor: 0 };
const USUAL_HOST = 'localhost';

/**
 * Makes the exchange of a request that nobody has sent. It is opened under a snapshot that it does not hold, and never
 * closed: nothing may be done with it but looking.
 *
 * @throws {ExplainFault} for what could not be sent as a request.
 */
export function askedExchange(input: ExplainInput, snapshot: Snapshot): Exchange {
  const { method, target, scheme, authority } = readRequest(input.request);
  const fields = readFields(input.headers);
  if (!fields.some(([name]) => name.toLowerCase() === 'host'))
    fields.unshift(['Host', authority ?? USUAL_HOST]);
  if (input.body !== undefined && !fields.some(([name]) => name.toLowerCase() === 'content-length'))
    fields.push(['Content-Length', String(Buffer.byteLength(input.body))]);
  const request = requestOf(method, target, fields, input.from);
  if (!isSaneHost(request.headers.host ?? ''))
    throw new ExplainFault(`expected one host, got "${request.headers.host ?? ''}"`);
  liftCredentials(request, snapshot.edge.keyPlaces);
  const { path, query } = splitTarget(request.url ?? target);
  const normal = normalizePath(path, 'keep');
  if (normal === undefined)
    throw new ExplainFault(`${path}: not in a form that every server reads alike; it is refused with 400`);
  const origin = snapshot.edge.clientAddress.of(request);
  const exchange = new Exchange({
    id: randomUUID(),
    trace: continueTrace(undefined, undefined),
    clientAddress: origin.clientAddress,
    addressDoubt: origin.doubt,
    scheme: scheme ?? origin.scheme,
    host: hostOf(request.headers.host),
    path: normal,
    query,
    request,
    response: new ServerResponse(request),
    snapshot,
  });
  return exchange;
}

function readRequest(text: string): {
  readonly method: string;
  readonly target: string;
  readonly scheme?: 'http' | 'https';
  readonly authority?: string;
} {
  const [, method = '', target = ''] = REQUEST.exec(text.trim()) ?? [];
  if (method === '')
    throw new ExplainFault(`expected a method and a target, such as 'GET /users/7', got "${text}"`);
  const absolute = absoluteForm(target);
  if (absolute === undefined) {
    if (!target.startsWith('/'))
      throw new ExplainFault(`expected a target that starts with / or http://, got "${target}"`);
    return { method: method.toUpperCase(), target };
  }
  const { authority } = absolute;
  const rest = absolute.rest.startsWith('/') ? absolute.rest : `/${absolute.rest}`;
  return {
    method: method.toUpperCase(),
    target: rest,
    scheme: absolute.scheme === 'https' ? 'https' : 'http',
    authority,
  };
}

function readFields(lines: readonly string[]): (readonly [name: string, value: string])[] {
  return lines.map((line) => {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    // Nothing of what was given: it may be a secret.
    if (colon < 0 || !TOKEN.test(name))
      throw new ExplainFault('expected header fields as `Name: value`; one of them has no such name');
    if (BAD_VALUE.test(value))
      throw new ExplainFault(`${name}: the value has a character that no field may have`);
    return [name, value];
  });
}

/** Calls of gRPC come over nothing else. */
function isGrpc(fields: readonly (readonly [name: string, value: string])[]): boolean {
  return fields.some(([name, value]) => name.toLowerCase() === 'content-type' && GRPC_TYPE.test(value));
}

function requestOf(
  method: string,
  target: string,
  fields: readonly (readonly [name: string, value: string])[],
  from: string,
): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: from });
  const request = new IncomingMessage(socket);
  Object.assign(request, {
    method,
    url: target,
    ...(isGrpc(fields) ? HTTP_2 : HTTP_1),
  });
  request.rawHeaders = fields.flat();
  const distinct: Record<string, string[]> = {};
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    (distinct[lower] ??= []).push(value);
    const before = request.headers[lower];
    const joint = lower === 'cookie' ? '; ' : ', ';
    request.headers[lower] = before === undefined ? value : `${String(before)}${joint}${value}`;
  }
  // It would be made of what a parser has counted.
  request.headersDistinct = distinct;
  return request;
}

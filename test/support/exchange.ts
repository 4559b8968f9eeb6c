import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Exchange } from '../../src/exchange/exchange.ts';
import type { Principal } from '../../src/exchange/principal.ts';
import { splitTarget } from '../../src/routing/request-path.ts';
import { continueTrace } from '../../src/telemetry/trace-context.ts';

/** What a test says about a request; the rest is a plain GET. */
export interface TestRequest {
  readonly method?: string;
  /** Path and query. */
  readonly target?: string;
  readonly host?: string;
  /** Flat list, as it stood on the wire. */
  readonly headers?: readonly string[];
  readonly principal?: Principal;
}

/** Makes an exchange of a request that no socket brought. */
export function createExchange(test: TestRequest = {}): Exchange {
  const request = new IncomingMessage(new Socket());
  request.method = test.method ?? 'GET';
  request.url = test.target ?? '/';
  const headers = [...(test.headers ?? [])];
  request.rawHeaders = headers;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? '';
    const before = request.headers[name];
    request.headers[name] = before === undefined ? headers[i + 1] : `${String(before)}, ${headers[i + 1]}`;
  }
  const exchange = new Exchange({
    id: 'exchange-1',
    trace: continueTrace(undefined, undefined),
    clientAddress: '203.0.113.7',
    scheme: 'http',
    host: test.host ?? 'localhost',
    ...splitTarget(request.url),
    request,
    response: new ServerResponse(request),
  });
  exchange.principal = test.principal;
  return exchange;
}

/** Makes a principal of a token. */
export function createPrincipal(id: string, more: Partial<Principal> = {}): Principal {
  return Object.freeze({
    id,
    scheme: 'jwt',
    issuer: undefined,
    subject: more.scheme === 'apiKey' ? undefined : id,
    clientId: undefined,
    apiKeyId: undefined,
    roles: [],
    permissions: [],
    scopes: [],
    email: undefined,
    tenant: undefined,
    tier: undefined,
    claims: {},
    ...more,
  });
}

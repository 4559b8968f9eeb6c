import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { z } from 'zod';
import { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { continueTrace } from '../../telemetry/trace-context.ts';
import { HttpCaller } from '../http/http-caller.ts';
import { loadTls } from '../tls-files.ts';
import { UpstreamRegistry } from '../upstream-registry.ts';
import { upstreamSchema } from '../upstream.schema.ts';
import { GrpcCaller } from './grpc-caller.ts';

/** Upstreams, transports and metrics, as the gateway puts them together; for specs. */
export class CallBed {
  readonly metrics = new Metrics();
  readonly http = new HttpCaller(this.metrics);
  readonly grpc = new GrpcCaller(this.metrics);
  readonly upstreams: UpstreamRegistry;

  constructor(upstreams: Readonly<Record<string, z.input<typeof upstreamSchema>>>) {
    const parsed = Object.fromEntries(
      Object.entries(upstreams).map(([name, options]) => [name, upstreamSchema.parse(options)]),
    );
    const logger = createLogger('silent', { write() {} });
    const files = { tls: loadTls(parsed, '.').upstreams, folder: '.' };
    this.upstreams = new UpstreamRegistry(parsed, logger, this.metrics, undefined, files);
  }

  async close(): Promise<void> {
    this.grpc.close();
    await this.upstreams.close();
  }
}

/** Bob of the sample data: no admin. */
export const BOB: Principal = Object.freeze({
  id: '2',
  scheme: 'jwt',
  issuer: 'https://id.test/',
  subject: '2',
  clientId: 'web',
  apiKeyId: undefined,
  roles: ['user', 'reader'],
  permissions: [],
  scopes: [],
  email: 'bob@example.com',
  tenant: 'acme',
  tier: 'pro',
  claims: {},
});

/** What a spec may say about an exchange. */
export interface ExchangeOptions {
  readonly principal?: Principal | undefined;
  /** From now, in ms. */
  readonly deadlineMs?: number;
  readonly tracestate?: string;
}

/** An exchange as it is when a handler gets it. */
export function exchangeFor(options: ExchangeOptions = {}): Exchange {
  const request = new IncomingMessage(new Socket());
  const trace = continueTrace(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, options.tracestate);
  const exchange = new Exchange({
    id: 'request-1',
    trace,
    clientAddress: '203.0.113.9',
    scheme: 'http',
    host: 'localhost',
    path: '/',
    query: '',
    request,
    response: new ServerResponse(request),
  });
  exchange.principal = 'principal' in options ? options.principal : BOB;
  if (options.deadlineMs !== undefined) exchange.deadlineAt = performance.now() + options.deadlineMs;
  return exchange;
}

/** What a call that must fail failed with. */
export async function problemOf(call: Promise<unknown>): Promise<string> {
  const reason: unknown = await call.then(
    () => 'no problem',
    (error: unknown) => error,
  );
  return (reason as { code?: string }).code ?? String(reason);
}

/** Waits until something holds; the test's own timeout ends it otherwise. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

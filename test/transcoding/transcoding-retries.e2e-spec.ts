import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { kindsConfig } from '../support/kinds-gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';

const servers = [new KindsServer(), new KindsServer()];
let gateway: TestGateway | undefined;

beforeAll(() => Promise.all(servers.map((one) => one.start())));
afterAll(() => servers.forEach((one) => one.stop()));
afterEach(() => gateway?.stop());

interface Options {
  readonly upstream?: string;
  readonly route?: string;
  readonly grpc?: string;
}

function configOf({ upstream = 'retry: {}', route = '', grpc = '' }: Options): string {
  const target = servers.map(({ url }) => url).join(`', '`);
  const config = kindsConfig({ target, grpc, upstream: `circuitBreaker: off, ${upstream}` });
  return config.replace('    upstream: kinds\n', `    upstream: kinds\n    ${route}\n`);
}

/** How many calls one request makes of services that all answer with a status. */
async function callsOf(
  code: status,
  options: Options,
  headers: Record<string, string> = {},
): Promise<number> {
  for (const server of servers) {
    server.reset();
    server.refusal = { code, details: 'as it was told' };
  }
  gateway = await startGateway({ config: configOf(options) });
  const json = { 'content-type': 'application/json', ...headers };
  await call(`${gateway.url}/test/echo`, { method: 'POST', headers: json, body: '{}' });
  return servers.reduce((sum, { calls }) => sum + calls, 0);
}

describe('a call with effects, refused with UNAVAILABLE', () => {
  const key = { 'idempotency-key': '"8e03978e"' };
  const lets = { grpc: 'metadata: { request: [idempotency-key] }' };

  it.each<[string, Options, Record<string, string>, number]>([
    ['is never made twice', {}, {}, 1],
    ['is made again when the service is told a key', lets, key, 2],
    ['is not when the service is not told it', {}, key, 1],
    ['is not when the route wants one attempt', { ...lets, route: 'retry: { attempts: 1 }' }, key, 1],
  ])('%s', async (_, options, headers, calls) => {
    expect(await callsOf(status.UNAVAILABLE, options, headers)).toBe(calls);
  });

  it.each<[Options, number]>([
    [{}, 1],
    [{ upstream: 'retry: { on: [RESOURCE_EXHAUSTED] }' }, 2],
    [{ route: 'retry: { on: [RESOURCE_EXHAUSTED] }' }, 2],
  ])('of another status counts what `on` says: %j', async (options, calls) => {
    expect(await callsOf(status.RESOURCE_EXHAUSTED, { ...lets, ...options }, key)).toBe(calls);
  });
});

describe('`retry.on` of a translated route', () => {
  it('knows no statuses of HTTP', async () => {
    const config = configOf({ route: 'retry: { on: [connect, 503] }' });
    await expect(checkGateway({ config })).rejects.toThrow('expected the name of a gRPC status');
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { modules } from '../../routes/index.ts';
import { startTestGateway } from '../test-gateway.ts';
import type { RunningGateway } from '../running-gateway.ts';

const DEFAULTS = { policies: { authentication: { schemes: ['jwt'] } } };
const IDENTITY = {
  issuers: [{ issuer: 'https://id.test/', jwks: 'https://id.test/jwks', audiences: ['api'] }],
};
const route = (id: string): object => ({
  id,
  match: { methods: ['GET'], path: `/${id}` },
  upstream: 'things',
});

function start(routes: readonly object[], names: readonly string[] = []): Promise<RunningGateway> {
  const upstreams = {
    things: { targets: ['http://things.internal'] },
    orders: { protocol: 'grpc', targets: ['grpc://orders.internal'] },
  };
  return startTestGateway({
    config: { version: 1, modules: names, defaults: DEFAULTS, identity: IDENTITY, upstreams, routes },
    modules,
  });
}

describe('contracts that are kept', () => {
  let folder: string;
  let openapi: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-contracts-'));
    openapi = join(folder, 'contracts', 'openapi.json');
  });
  afterEach(async () => {
    delete process.env['UPDATE_CONTRACTS'];
    await rm(folder, { recursive: true });
  });

  it('are written when asked for, whatever the order of routes', async () => {
    const before = await start([route('a'), route('b')]);
    await expect(before.expectContracts({ openapi })).rejects.toThrow(
      `there is no contract in ${openapi}; UPDATE_CONTRACTS=1 writes it`,
    );
    process.env['UPDATE_CONTRACTS'] = '1';
    await before.expectContracts({ openapi });
    delete process.env['UPDATE_CONTRACTS'];
    await before.stop();
    const after = await start([route('b'), route('a')]);
    await after.expectContracts({ openapi: pathToFileURL(openapi) });
    await after.stop();
  });

  it('show what has changed, as lines', async () => {
    process.env['UPDATE_CONTRACTS'] = '1';
    await using before = await start([route('a'), route('b')]);
    await before.expectContracts({ openapi });
    delete process.env['UPDATE_CONTRACTS'];
    await using after = await start([route('a'), route('c')]);
    const failure = (await after
      .expectContracts({ openapi })
      .catch((error: unknown) => error)) as NodeJS.ErrnoException;
    expect(failure.code).toBe('ERR_ASSERTION');
    expect(failure.message).toMatch(/^the contract has changed; UPDATE_CONTRACTS=1 accepts it:\n--- .*openapi\.json\n\+\+\+ now\n@@/);
    expect(failure.message).toContain('-    "/b": {');
    expect(failure.message).toContain('+    "/c": {');
  }); // prettier-ignore

  it('are GraphQL schemas too', async () => {
    const graphql = join(folder, 'schema.graphql');
    await using gateway = await start([], ['orders']);
    process.env['UPDATE_CONTRACTS'] = '1';
    await gateway.expectContracts({ graphql });
    delete process.env['UPDATE_CONTRACTS'];
    await gateway.expectContracts({ graphql });
    const kept = await readFile(graphql, 'utf8');
    await writeFile(graphql, kept.replace('totalCents', 'cents'));
    await expect(gateway.expectContracts({ graphql })).rejects.toThrow(/\n-\s+cents: .*\n/);
    await writeFile(graphql, 'type Query {');
    await expect(gateway.expectContracts({ graphql })).rejects.toThrow(
      `${graphql} holds no contract: Syntax Error`,
    );
  });

  it('are asked for where there is something to compare', async () => {
    await using gateway = await start([route('a')]);
    await expect(gateway.expectContracts({})).rejects.toThrow('expected a file for openapi, for graphql');
    await expect(gateway.expectContracts({ graphql: join(folder, 'x.graphql') })).rejects.toThrow(
      'this gateway has no GraphQL: none of its `modules` adds to the schema',
    );
  });
});

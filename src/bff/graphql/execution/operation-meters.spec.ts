import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { Problem } from '../../../problems/problem.ts';
import { Metrics } from '../../../telemetry/metrics.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { getFrom, postTo } from '../graphql-client.fixture.ts';
import { sha256 } from '../documents/trusted-documents.ts';

@Resolver()
class MeteredResolver {
  @Query(() => String)
  hello(): string {
    return 'hello';
  }

  @Query(() => String, { nullable: true })
  slow(): string {
    throw new Problem('upstream-timeout');
  }

  @Query(() => String)
  must(): string {
    throw new Error('a defect');
  }

  @Mutation(() => String)
  write(): string {
    return 'written';
  }

  @Subscription(() => Number)
  async *ticks(): AsyncGenerator<{ ticks: number }> {
    for (let ticks = 1; ticks <= 3; ticks += 1) yield await Promise.resolve({ ticks });
    await new Promise(() => undefined);
  }
}

const TRUSTED = 'query Trusted { hello }';
let folder: string;
let bff: BffApp;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-documents-'));
  await writeFile(join(folder, 'trusted.graphql'), TRUSTED);
  bff = await startBff({
    modules: [{ module: class MeteredModule {}, providers: [MeteredResolver] }],
    graphql: {
      metrics: { operations: 3 },
      cost: { max: 50, mode: 'enforce', listSize: 10 },
      trustedDocuments: { path: folder, only: false },
    },
  });
});
afterAll(() => Promise.all([bff.stop(), rm(folder, { recursive: true })]));

async function series(): Promise<ReadonlyMap<string, number>> {
  const text = await bff.app.get(Metrics, { strict: false }).registry.metrics();
  const lines = text.split('\n').filter((line) => /^gatehouse_(graphql|open_sockets)/.test(line));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.slice(line.lastIndexOf(' ')))]));
}

async function countOf(operation: string, type: string, outcome: string): Promise<number> {
  const labels = `operation="${operation}",type="${type}",outcome="${outcome}"`;
  return (await series()).get(`gatehouse_graphql_operation_duration_seconds_count{${labels}}`) ?? 0;
}

async function errorsOf(operation: string, type: string, code: string): Promise<number> {
  const labels = `operation="${operation}",type="${type}",code="${code}"`;
  return (await series()).get(`gatehouse_graphql_errors_total{${labels}}`) ?? 0;
}

const ask = (query: string, more: object = {}) => postTo(bff.url, { query, ...more });

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('the metrics of operations', () => {
  it('count by name, type and outcome, and errors by code', async () => {
    for (let run = 0; run < 5; run += 1) await ask('query Named { hello }');
    await ask('mutation Named { write }');
    await ask('{ hello slow }');
    await ask('{ must }');
    await ask('mutation Named { write }', { operationName: 'Other' });
    await getFrom(bff.url, { query: 'mutation Named { write }' }, { 'x-requested-with': 'test' });
    expect(await countOf('Named', 'query', 'ok')).toBe(5);
    expect(await countOf('Named', 'mutation', 'ok')).toBe(1);
    expect(await countOf('anonymous', 'query', 'partial')).toBe(1);
    expect(await countOf('anonymous', 'query', 'failed')).toBe(1);
    expect(await countOf('unknown', 'unknown', 'refused')).toBe(1);
    await postTo(bff.url, { query: 7 });
    expect(await countOf('unknown', 'unknown', 'refused')).toBe(2);
    expect(await countOf('Named', 'mutation', 'refused')).toBe(1);
    expect(await errorsOf('anonymous', 'query', 'upstream-timeout')).toBe(1);
    expect(await errorsOf('anonymous', 'query', 'internal')).toBe(1);
    expect(await errorsOf('unknown', 'unknown', 'request-invalid')).toBe(2);
  });

  it('show what operations cost, refused ones too', async () => {
    const wide = `query Named { ${Array.from({ length: 3 }, (_, i) => `a${i}: hello`).join(' ')} }`;
    await ask(wide);
    const seen = await series();
    const labels = 'operation="Named",type="query"';
    expect(seen.get(`gatehouse_graphql_operation_cost_count{${labels}}`)).toBeGreaterThan(0);
    expect(seen.get(`gatehouse_graphql_operation_cost_bucket{le="1",${labels}}`)).toBe(
      seen.get(`gatehouse_graphql_operation_cost_count{${labels}}`),
    );
  });

  it('tell only the first names of clients apart, and all of trusted documents', async () => {
    for (let i = 0; i < 30; i += 1) await ask(`query Invented${i} { hello }`);
    await ask(`query ${'Long'.repeat(30)} { hello }`);
    await postTo(bff.url, { documentId: sha256(TRUSTED) });
    const names = new Set(
      [...(await series()).keys()].map((one) => /operation="([^"]*)"/.exec(one)?.[1]).filter(Boolean),
    );
    expect(names).toEqual(
      new Set(['unknown', 'anonymous', 'Named', 'Invented0', 'Invented1', 'other', 'Trusted']),
    );
    expect(await countOf('other', 'query', 'ok')).toBe(29);
    expect(await countOf('Trusted', 'query', 'ok')).toBe(1);
  });

  it('count the events of subscriptions, and what is open', async () => {
    const url = `${bff.url.replace('http', 'ws')}/graphql`;
    const socket = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
    const stream = createSseClient({ url: `${bff.url}/graphql`, retryAttempts: 0 });
    const sink = { next: () => undefined, error: () => undefined, complete: () => undefined };
    socket.subscribe({ query: 'subscription { ticks }' }, sink);
    stream.subscribe({ query: 'subscription { ticks }' }, sink);
    await until(async () => (await countOf('anonymous', 'subscription', 'ok')) === 6);
    const open = await series();
    expect(open.get('gatehouse_graphql_open_subscriptions')).toBe(2);
    expect(open.get('gatehouse_graphql_event_streams')).toBe(1);
    expect(open.get('gatehouse_open_sockets{route="graphql"}')).toBe(1);
    await socket.dispose();
    stream.dispose();
    await until(async () => {
      const left = await series();
      return (
        left.get('gatehouse_graphql_open_subscriptions') === 0 &&
        left.get('gatehouse_graphql_event_streams') === 0
      );
    });
  });

  it('count what is refused over a socket like what is refused over HTTP', async () => {
    const url = `${bff.url.replace('http', 'ws')}/graphql`;
    const socket = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
    const before = await countOf('unknown', 'unknown', 'refused');
    await expect(socket.iterate({ query: '{ nope }' }).next()).rejects.toMatchObject([{}]);
    expect(await countOf('unknown', 'unknown', 'refused')).toBe(before + 1);
    await socket.dispose();
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../support/client.ts';
import { Collector, otelVariables, setVariables } from '../support/collector.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const CONFIG = JSON.stringify({
  version: 1,
  routes: [
    {
      id: 'hello',
      match: { path: '/hello' },
      respond: { status: 200, body: 'hello' },
      policies: { authentication: 'public' },
    },
  ],
});

async function startCollector(): Promise<Collector> {
  const collector = await new Collector().start();
  undo.push(() => collector.stop());
  return collector;
}

async function start(variables: Readonly<Record<string, string>>): Promise<TestGateway> {
  undo.push(setVariables(variables));
  const gateway = await startGateway({ config: CONFIG, environment: variables });
  undo.push(() => gateway.stop());
  return gateway;
}

async function metric(gateway: TestGateway, series: string): Promise<number> {
  const { text } = await call(`${gateway.adminUrl}/metrics`);
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1));
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error('it never came to that');
}

describe.each([
  ['http/json', (collector: Collector) => collector.url],
  ['http/protobuf', (collector: Collector) => collector.url],
  ['grpc', (collector: Collector) => collector.grpcUrl],
])('spans over %s', (protocol, urlOf) => {
  it('reach the collector', async () => {
    const collector = await startCollector();
    const more = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol };
    const gateway = await start(otelVariables(urlOf(collector), more));
    await call(`${gateway.url}/hello`);
    await until(() => collector.spans.length > 0);
    expect(collector.spans[0]).toMatchObject({
      name: 'GET /hello',
      kind: 'server',
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      attributes: { 'http.response.status_code': 200 },
    });
    expect(collector.batches[0]?.resource['service.name']).toBe('gatehouse');
  });

  it('show the collector what a file says', async () => {
    const collector = await startCollector();
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-otel-'));
    undo.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'headers');
    writeFileSync(file, 'x-collector-key=s3cret%20of%20a%20file\n');
    const more = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_HEADERS_FILE: file };
    const gateway = await start(otelVariables(urlOf(collector), more));
    await call(`${gateway.url}/hello`);
    await until(() => collector.spans.length > 0);
    expect(collector.headers[0]?.['x-collector-key']).toBe('s3cret of a file');
  });
});

describe('a collector', () => {
  it('that refuses and takes again is told of once each time, and what it refused is counted', async () => {
    const collector = await startCollector();
    collector.mood = 'refuses';
    const gateway = await start(otelVariables(collector.url));
    const lines = (message: string): number =>
      gateway.lines.filter(({ msg }) => msg.includes(message)).length;
    for (let turn = 1; turn <= 3; turn += 1) {
      expect((await call(`${gateway.url}/hello`)).status).toBe(200);
      await until(() => collector.tries >= turn);
    }
    const dropped = 'gatehouse_spans_dropped_total{reason="export"}';
    await until(async () => (await metric(gateway, dropped)) >= 3);
    expect(lines('does not take spans')).toBe(1);
    collector.mood = 'takes';
    await call(`${gateway.url}/hello`);
    await until(() => lines('takes spans again') === 1);
    expect(await metric(gateway, 'gatehouse_spans_exported_total')).toBeGreaterThan(0);
    expect(lines('does not take spans')).toBe(1);
  });

  it('that says nothing costs requests nothing, and no more waits for it than may', async () => {
    const collector = await startCollector();
    collector.mood = 'hangs';
    const limits = { OTEL_BSP_MAX_QUEUE_SIZE: '8', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4' };
    const gateway = await start(
      otelVariables(collector.url, { ...limits, OTEL_EXPORTER_OTLP_TIMEOUT: '1000' }),
    );
    for (let turn = 0; turn < 40; turn += 1) expect((await call(`${gateway.url}/hello`)).status).toBe(200);
    expect(await metric(gateway, 'gatehouse_spans_dropped_total{reason="queue"}')).toBeGreaterThan(0);
    collector.mood = 'takes';
    await until(async () => {
      await call(`${gateway.url}/hello`);
      return collector.spans.length > 0;
    });
  });

  it('gets the last spans when the gateway ends', async () => {
    const collector = await startCollector();
    const gateway = await start(otelVariables(collector.url, { OTEL_BSP_SCHEDULE_DELAY: '600000' }));
    await call(`${gateway.url}/hello`);
    await gateway.stop();
    undo.pop();
    expect(collector.spans.map(({ name }) => name)).toEqual(['GET /hello']);
  });
});

describe('variables that make no sense', () => {
  it.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'thrift', 'expected one of grpc, http/protobuf, http/json'],
    ['OTEL_TRACES_SAMPLER', 'sometimes', 'expected one of always_on'],
    ['OTEL_PROPAGATORS', 'jaeger', 'expected none or some of tracecontext'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '-1', 'expected a whole number from 1 on'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'expected otlp or none'],
  ])('keep the gateway from starting: %s', async (name, value, message) => {
    const environment = otelVariables('http://127.0.0.1:4318', { [name]: value });
    await expect(startGateway({ config: CONFIG, environment })).rejects.toThrow(`${name}  ${message}`);
  });
});

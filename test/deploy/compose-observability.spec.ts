import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const read = <Shape extends z.ZodType>(file: string, shape: Shape): z.output<Shape> =>
  shape.parse(parse(readFileSync(file, 'utf8'), { merge: true }));

const { services, volumes } = read(
  'docker-compose.yml',
  z.looseObject({
    services: z.record(
      z.string(),
      z.looseObject({
        profiles: z.array(z.string()).optional(),
        image: z.string().optional(),
        volumes: z.array(z.string()).default([]),
        ports: z.array(z.string()).default([]),
        command: z.array(z.string()).optional(),
        depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
      }),
    ),
    volumes: z.record(z.string(), z.unknown()),
  }),
);
const mine = Object.entries(services).filter(([, { profiles }]) => profiles?.includes('observability'));

const endpoint = z.strictObject({ endpoint: z.string().regex(/^0\.0\.0\.0:\d+$/) });
const otlpReceiver = z.strictObject({
  protocols: z.strictObject({ grpc: endpoint.optional(), http: endpoint.optional() }),
});
/** What the collector's documentation says of its configuration, with the components that ours has. */
const collector = read(
  'deploy/collector/collector.yaml',
  z.strictObject({
    receivers: z.strictObject({ otlp: otlpReceiver }),
    processors: z.strictObject({
      memory_limiter: z.strictObject({
        check_interval: z.string().regex(/^\d+m?s$/),
        limit_mib: z.int().min(1),
      }),
      batch: z.strictObject({}),
    }),
    exporters: z.strictObject({
      'otlp/tempo': z.strictObject({
        endpoint: z.string(),
        tls: z.strictObject({ insecure: z.literal(true) }),
      }),
    }),
    service: z.strictObject({
      telemetry: z.strictObject({
        metrics: z.strictObject({
          readers: z.array(
            z.strictObject({
              pull: z.strictObject({
                exporter: z.strictObject({ prometheus: z.strictObject({ host: z.string(), port: z.int() }) }),
              }),
            }),
          ),
        }),
      }),
      pipelines: z.partialRecord(
        z.enum(['traces', 'metrics', 'logs']),
        z.strictObject({
          receivers: z.array(z.string()).min(1),
          processors: z.array(z.string()),
          exporters: z.array(z.string()).min(1),
        }),
      ),
    }),
  }),
);
const tempo = read(
  'deploy/tempo/tempo.yaml',
  z.looseObject({
    server: z.strictObject({ http_listen_port: z.int() }),
    distributor: z.strictObject({ receivers: z.strictObject({ otlp: otlpReceiver }) }),
    storage: z.strictObject({
      trace: z.strictObject({
        backend: z.literal('local'),
        local: z.strictObject({ path: z.string() }),
        wal: z.strictObject({ path: z.string() }),
      }),
    }),
  }),
);
const { datasources } = read(
  'deploy/grafana/provisioning/datasources/datasources.yaml',
  z.strictObject({
    apiVersion: z.literal(1),
    datasources: z.array(
      z.strictObject({
        name: z.string(),
        uid: z.string(),
        type: z.enum(['prometheus', 'tempo']),
        access: z.literal('proxy'),
        url: z.string(),
        isDefault: z.boolean().optional(),
        jsonData: z.looseObject({}).optional(),
      }),
    ),
  }),
);
const { providers } = read(
  'deploy/grafana/provisioning/dashboards/dashboards.yaml',
  z.strictObject({
    apiVersion: z.literal(1),
    providers: z.array(
      z.strictObject({
        name: z.string(),
        folder: z.string(),
        type: z.literal('file'),
        options: z.strictObject({ path: z.string() }),
      }),
    ),
  }),
);
const mountsOf = (name: string): ReadonlyMap<string, string> =>
  new Map(
    (services[name]?.volumes ?? []).map(
      (volume) => volume.split(':').slice(0, 2).reverse() as [string, string],
    ),
  );

describe('the compose profile observability', () => {
  it('starts Prometheus, Grafana, a collector and Tempo, of one release each', () => {
    expect(mine.map(([name]) => name).toSorted()).toEqual([
      'grafana',
      'otel-collector',
      'prometheus',
      'tempo',
    ]);
    for (const [name, { image }] of mine)
      expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+/)]);
  });

  it.each(mine)('%s mounts what there is, and waits for whom there is', (_, service) => {
    for (const volume of service.volumes) {
      const [from = ''] = volume.split(':');
      expect([from, from.startsWith('./') ? existsSync(from) : from in volumes]).toEqual([from, true]);
    }
    const awaited = Array.isArray(service.depends_on)
      ? service.depends_on
      : Object.keys(service.depends_on ?? {});
    for (const other of awaited) expect(Object.keys(services)).toContain(other);
  });

  it.each(mine)('%s is published on loopback alone, if at all', (_, { ports }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('scrapes the gateways that there are, and the collector where it shows its own metrics', () => {
    const { scrape_configs: jobs } = read(
      'deploy/prometheus/prometheus.yaml',
      z.looseObject({
        scrape_configs: z.array(
          z.strictObject({
            job_name: z.string(),
            authorization: z.strictObject({ credentials_file: z.string() }).optional(),
            static_configs: z.array(z.strictObject({ targets: z.array(z.string()) })),
          }),
        ),
      }),
    );
    const tokens = jobs.flatMap(({ authorization }) => authorization?.credentials_file ?? []);
    for (const file of tokens) expect(mountsOf('prometheus').get(dirname(file))).toBe('operators');
    const targets = jobs.flatMap(({ static_configs: configs }) => configs.flatMap((one) => one.targets));
    const [reader] = collector.service.telemetry.metrics.readers;
    expect(targets).toEqual([
      'gateway-1:9080',
      'gateway-2:9080',
      'gateway-3:9080',
      `otel-collector:${reader?.pull.exporter.prometheus.port}`,
    ]);
    for (const one of targets) expect(Object.keys(services)).toContain(one.split(':')[0]);
  });
});

describe('the collector', () => {
  it('has a pipeline for traces, of parts that it has, and none that nobody uses', () => {
    const pipelines = Object.values(collector.service.pipelines);
    expect(Object.keys(collector.service.pipelines)).toEqual(['traces']);
    for (const kind of ['receivers', 'processors', 'exporters'] as const) {
      const used = pipelines.flatMap((one) => one?.[kind] ?? []);
      expect([...new Set(used)].toSorted()).toEqual(Object.keys(collector[kind]).toSorted());
    }
    // What bounds memory comes before what gathers (its documentation, "Recommended processors").
    expect(pipelines[0]?.processors).toEqual(['memory_limiter', 'batch']);
  });

  it('listens where the gateways send, and sends where Tempo listens', () => {
    expect(collector.receivers.otlp.protocols.http?.endpoint).toBe('0.0.0.0:4318');
    expect(readFileSync('docs/observability.md', 'utf8')).toContain(
      'OTLP_ENDPOINT=http://otel-collector:4318',
    );
    const [host, port] = collector.exporters['otlp/tempo'].endpoint.split(':');
    expect(Object.keys(services)).toContain(host);
    expect(tempo.distributor.receivers.otlp.protocols.grpc?.endpoint).toBe(`0.0.0.0:${port}`);
  });

  it('reads the file that is mounted', () => {
    const config = services['otel-collector']?.command?.find((one) => one.startsWith('--config='))?.slice(9);
    const mounted = [...mountsOf('otel-collector').keys()];
    expect(mounted.filter((path) => path !== '' && config?.startsWith(path))).toHaveLength(1);
  });
});

describe('Grafana', () => {
  it('asks whom there is, where it listens', () => {
    const urls = Object.fromEntries(datasources.map(({ uid, url }) => [uid, url]));
    expect(urls).toEqual({
      prometheus: 'http://prometheus:9090',
      tempo: `http://tempo:${tempo.server.http_listen_port}`,
    });
    expect(datasources.filter(({ isDefault }) => isDefault)).toHaveLength(1);
  });

  it('finds the traces of exemplars at a source that there is', () => {
    const named = JSON.stringify(datasources).match(/"datasourceUid":"([^"]+)"/g) ?? [];
    expect(named.length).toBeGreaterThan(0);
    const uids = datasources.map(({ uid }) => `"datasourceUid":"${uid}"`);
    for (const one of named) expect(uids).toContain(one);
  });

  it('shows the dashboards that are mounted where it looks', () => {
    const mounts = mountsOf('grafana');
    expect(providers.map(({ options }) => mounts.get(options.path))).toEqual(['./deploy/grafana/dashboards']);
    expect([...mounts.values()]).toContain('./deploy/grafana/provisioning');
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { until } from '../grpc/call.fixture.ts';
import { UpstreamRegistry } from '../upstream-registry.ts';
import { upstreamSchema } from '../upstream.schema.ts';
import { entry, FakeConsul } from './consul/consul.fixture.ts';
import { MAX_ENTRIES } from './discovery-source.ts';

let consul: FakeConsul;
let folder: string;
let made: UpstreamRegistry[];
let said: Record<string, unknown>[];

beforeEach(async () => {
  [made, said] = [[], []];
  consul = await new FakeConsul().start();
  folder = mkdtempSync(join(tmpdir(), 'known-'));
});
afterEach(async () => {
  await Promise.all(made.map((one) => one.close()));
  consul.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a gateway does with its upstreams when it starts. */
function start(more: object = {}, lastKnown = 'web.json'): UpstreamRegistry {
  const consulOptions = { service: 'web', url: consul.url };
  const options = { web: upstreamSchema.parse({ discovery: { consul: consulOptions, lastKnown, ...more } }) };
  const logger = createLogger('info', { write: (line: string) => void said.push(JSON.parse(line)) });
  const registry = new UpstreamRegistry(options, logger, new Metrics(), undefined, {
    tls: new Map(),
    folder,
  });
  made.push(registry);
  registry.activate();
  return registry;
}
const hosts = (registry: UpstreamRegistry) => registry.get('web').targets.map(({ host }) => host);
const file = () => readFileSync(join(folder, 'web.json'), 'utf8');
const ill = () => void (consul.instead = (response) => void response.writeHead(500).end());
const reasons = () => said.filter(({ msg }) => String(msg).includes('start')).map(({ reason }) => reason);

describe('what was known before a start', () => {
  it('is in use until the registry answers', async () => {
    const first = start();
    await until(() => hosts(first).length === 1);
    consul.change([entry({ Port: 80 }), entry({ Port: 81, Tags: ['track=canary'], Meta: { zone: 'z' } })]);
    await until(() => hosts(first).length === 2);
    await until(() => file().includes('canary'));
    expect(statSync(join(folder, 'web.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['web.json']);
    await first.close();

    ill();
    const second = start();
    expect(hosts(second)).toEqual(['10.0.0.1:80', '10.0.0.1:81']);
    expect(second.get('web').targets[1]).toMatchObject({ labels: { track: 'canary' }, zone: 'z' });
    await until(() => second.discovered[0]?.state === 'failing');
    expect([hosts(second), second.discovered[0]?.targets.length]).toEqual([
      ['10.0.0.1:80', '10.0.0.1:81'],
      2,
    ]);
    consul.instead = undefined;
    consul.change([entry({ Port: 82 })]);
    await until(() => hosts(second).join() === '10.0.0.1:82');
    await until(() => file().includes(':82'));
  });

  it('is nothing at the first start, without a word', async () => {
    ill();
    const registry = start();
    await until(() => registry.discovered[0]?.state === 'failing');
    expect([hosts(registry), reasons()]).toEqual([[], []]);
  });

  it('is that there is nothing, once that is believed', async () => {
    const first = start({ emptyGrace: '0s' });
    await until(() => hosts(first).length === 1);
    consul.change([]);
    await until(() => hosts(first).length === 0);
    await until(() => file().includes('"targets": []'));
  });

  const target = (more: object = {}) => ({
    url: 'http://10.0.0.1:80',
    weight: 1,
    labels: {},
    priority: 0,
    ...more,
  });
  const kept = (more: object) =>
    JSON.stringify({ upstream: 'web', source: 'consul web', targets: [target()], ...more });

  it.each<[string, string, unknown, number]>([
    ['of another source', kept({ source: 'consul other' }), 'it is of web, consul other', 0],
    ['of another upstream', kept({ upstream: 'other' }), 'it is of other, consul web', 0],
    ['half-written', kept({}).slice(0, 60), 'it is no list of targets', 0],
    ['something else', '[]', 'it is no list of targets', 0],
    ['larger than 16 MiB', `${kept({})}${' '.repeat(16 * 1024 * 1024)}`, 'it is larger than 16MiB', 0],
    [
      'a list of too many',
      kept({ targets: Array(MAX_ENTRIES + 1).fill(target()) }),
      'it is no list of targets',
      0,
    ],
    ['in part of another scheme', kept({ targets: [target({ url: 'file://x' }), target()] }), undefined, 1],
    ['as it should be', kept({}), undefined, 1],
  ])('is looked at: %s', (_what, text, reason, count) => {
    writeFileSync(join(folder, 'web.json'), text);
    ill();
    expect([hosts(start()).length, reasons()]).toEqual([count, [reason]]);
  });

  it('cannot be kept where nothing can be written, which is told once', async () => {
    const registry = start({}, 'nowhere/web.json');
    await until(() => reasons().length === 1);
    consul.change([entry({ Port: 82 })]);
    await until(() => hosts(registry).join() === '10.0.0.1:82');
    expect(reasons()).toEqual(['ENOENT']);
  });
});

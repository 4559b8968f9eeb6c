import { expect, it } from '@jest/globals';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config/config-reader.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { SnapshotCompiler } from '../../src/snapshot/snapshot-compiler.ts';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import { call } from '../support/client.ts';
import { startGateway } from '../support/gateway.ts';
import { startUpstream } from '../support/upstream.ts';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (more: object): string =>
  JSON.stringify({
    version: 1,
    upstreams: { it: more },
    routes: [{ id: `it`, match: { path: `/it` }, upstream: 'it', policies: { authentication: 'public' } }],
  });

it('a target that was found while a configuration was made goes on, with its breaker', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'found-'));
  const path = join(folder, 'targets.json');
  const list = (...urls: string[]): void => {
    writeFileSync(`${path}.new`, JSON.stringify(urls));
    renameSync(`${path}.new`, path);
  };
  const services = await Promise.all([0, 1].map(() => startUpstream()));
  const [first = '', second = ''] = services.map(({ url }) => url);
  list(first);
  const of = (more: object) => text({ discovery: { file: { path } }, ...more });
  const gateway = await startGateway({ config: of({}) });
  try {
    const snapshots = gateway.gateway.app.get(Snapshots);
    expect((await call(`${gateway.url}/it`)).status).toBe(200);
    // Nothing that targets depend on is changed.
    const source = readConfig(gatewaySchema, of({ maxInFlight: 7 }), 'gateway.yaml', {});
    const next = await gateway.gateway.app.get(SnapshotCompiler).next(source, snapshots.current);
    list(first, second);
    const now = () => snapshots.current.upstreams.get('it').targets;
    while (now().length < 2) await sleep(20);
    const before = [...now()];
    before.find(({ origin }) => origin === second)?.breaker?.trip('ejected', 60_000);
    snapshots.replace(next);
    expect(now().map((target) => before.includes(target))).toEqual([true, true]);
  } finally {
    await gateway.stop();
    await Promise.all(services.map((service) => service.stop()));
    rmSync(folder, { recursive: true });
  }
}, 30_000);

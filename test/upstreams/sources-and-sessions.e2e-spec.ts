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

const text = (more: object, count = 0): string =>
  JSON.stringify({
    version: 1,
    upstreams: { it: more },
    routes: Array.from({ length: count + 1 }, (_, at) => ({
      id: `it${at}`,
      match: { path: `/it${at}` },
      upstream: 'it',
      policies: { authentication: 'public' },
    })),
  });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it('a source that takes the place of another begins with what that knows at that moment', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'seed-'));
  const path = join(folder, 'targets.json');
  const list = (url: string): void => {
    writeFileSync(`${path}.new`, JSON.stringify([url]));
    renameSync(`${path}.new`, path);
  };
  const services = await Promise.all([0, 1].map(() => startUpstream()));
  const [first = '', second = ''] = services.map(({ url }) => url);
  list(first);
  const of = (p: string) => text({ discovery: { file: { path: p } } });
  const gateway = await startGateway({ config: of(path) });
  try {
    const snapshots = gateway.gateway.app.get(Snapshots);
    expect((await call(`${gateway.url}/it0`)).status).toBe(200);
    // The new registry is away at first.
    const source = readConfig(gatewaySchema, of(join(folder, 'away.json')), 'gateway.yaml', {});
    const next = await gateway.gateway.app.get(SnapshotCompiler).next(source, snapshots.current);
    list(second);
    const now = () => snapshots.current.upstreams.get('it').targets.map(({ origin }) => origin);
    while (now()[0] !== second) await sleep(20);
    snapshots.replace(next);
    expect(now()).toEqual([second]);
  } finally {
    await gateway.stop();
    await Promise.all(services.map((service) => service.stop()));
    rmSync(folder, { recursive: true });
  }
}, 30_000);

it('a dry run leaves the secrets of sticky sessions in force alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sticky-'));
  const file = join(folder, 'gateway.yaml');
  const secret = join(folder, 'secret');
  const services = await Promise.all([0, 1].map(() => startUpstream()));
  writeFileSync(secret, 'a'.repeat(40));
  const config = (n: number) =>
    text({ targets: services.map(({ url }) => url), sticky: { secretFile: secret } }, n);
  writeFileSync(file, config(0));
  const gateway = await startGateway({ config: config(0), file });
  try {
    const one = await call(`${gateway.url}/it0`);
    const cookie = String(one.headers['set-cookie']).split(';')[0] as string;
    writeFileSync(secret, 'b'.repeat(40));
    writeFileSync(file, config(1).replace('/it1', '/it0'));
    await call(`${gateway.adminUrl}/config/reload`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-gatehouse-admin': 'spec' },
      body: JSON.stringify({ dryRun: true }),
    });
    const again = await call(`${gateway.url}/it0`, { headers: { cookie } });
    // Who has a session that holds is told of no other.
    expect(again.headers['set-cookie']).toBeUndefined();
  } finally {
    await gateway.stop();
    await Promise.all(services.map((service) => service.stop()));
    rmSync(folder, { recursive: true });
  }
}, 30_000);

import { expect, it } from '@jest/globals';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config/config-reader.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { SnapshotCompiler } from '../../src/snapshot/snapshot-compiler.ts';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import type { DiscoveryView } from '../../src/upstreams/discovery/discovery-view.ts';
import { call } from '../support/client.ts';
import { startGateway } from '../support/gateway.ts';
import { startUpstream } from '../support/upstream.ts';

it('has the targets that were found while a configuration was made, whoever began to ask for them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'found-meanwhile-'));
  const path = join(folder, 'targets.json');
  const list = (url: string): void => {
    writeFileSync(`${path}.new`, JSON.stringify([url]));
    renameSync(`${path}.new`, path);
  };
  const asked = [0, 0];
  const services = await Promise.all(asked.map(() => startUpstream()));
  services.forEach(({ server }, at) => server.on('request', () => (asked[at] = (asked[at] ?? 0) + 1)));
  const [first = '', second = ''] = services.map(({ url }) => url);
  list(first);
  const config = (maxConnections: number): string =>
    JSON.stringify({
      version: 1,
      upstreams: { it: { maxConnections, discovery: { file: { path } } } },
      routes: [{ id: 'it', match: { path: '/it' }, upstream: 'it', policies: { authentication: 'public' } }],
    });
  const gateway = await startGateway({ config: config(5) });
  try {
    const { app } = gateway.gateway;
    const snapshots = app.get(Snapshots);
    const source = readConfig(gatewaySchema, config(7), 'gateway.yaml', {});
    expect((await call(`${gateway.url}/it`)).status).toBe(200);
    const next = await app.get(SnapshotCompiler).next(source, snapshots.current);
    list(second);
    const isFound = async (): Promise<boolean> => {
      const [view] = (await call(`${gateway.adminUrl}/discovery`)).json<DiscoveryView[]>();
      return view?.targets[0]?.url === second;
    };
    while (!(await isFound())) await new Promise((resolve) => setTimeout(resolve, 20));
    snapshots.replace(next);
    expect(snapshots.current.upstreams.get('it').options.maxConnections).toBe(7);
    expect((await call(`${gateway.url}/it`)).status).toBe(200);
    expect(asked).toEqual([1, 1]);
  } finally {
    await gateway.stop();
    await Promise.all(services.map((service) => service.stop()));
    rmSync(folder, { recursive: true });
  }
});

import { expect, it } from '@jest/globals';
import { readConfig } from '../../src/config/config-reader.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { SnapshotCompiler } from '../../src/snapshot/snapshot-compiler.ts';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import { call } from '../support/client.ts';
import { startGateway } from '../support/gateway.ts';
import { startUpstream } from '../support/upstream.ts';

it.each([0, 2500])(
  'a new target starts slowly once its configuration is in force, %d ms after it was made',
  async (ms) => {
    const services = await Promise.all([0, 1, 2, 3].map(() => startUpstream()));
    const of = (count: number) =>
      JSON.stringify({
        version: 1,
        upstreams: { it: { targets: services.slice(0, count).map(({ url }) => url), slowStart: '2s' } },
        routes: [
          { id: 'it', match: { path: '/it' }, upstream: 'it', policies: { authentication: 'public' } },
        ],
      });
    const gateway = await startGateway({ config: of(3) });
    try {
      const { app } = gateway.gateway;
      const snapshots = app.get(Snapshots);
      await call(`${gateway.url}/it`);
      const next = await app
        .get(SnapshotCompiler)
        .next(readConfig(gatewaySchema, of(4), 'gateway.yaml', {}), snapshots.current);
      await new Promise((resolve) => setTimeout(resolve, ms));
      snapshots.replace(next);
      await call(`${gateway.url}/it`);
      expect(snapshots.current.upstreams.get('it').targets[3]?.share).toBeLessThan(0.9);
    } finally {
      await gateway.stop();
      await Promise.all(services.map((service) => service.stop()));
    }
  },
  30_000,
);

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, runBin } from '../support/child.ts';
import { TestCluster } from '../support/cluster.ts';
import { checkGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

describe('several workers that would follow a cluster', () => {
  let folder: string;
  let file: string;
  let cluster: TestCluster;
  let redis: RedisServer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-workers-'));
    file = join(folder, 'gateway.yaml');
    cluster = await new TestCluster().start();
    writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig);
    writeFileSync(
      file,
      'version: 1\nlisteners: [{ port: 0 }]\nkubernetes: { kubeconfig: kubeconfig, policies: { authentication: public } }\n',
    );
    redis = await startRedis();
    await ensureBuilt();
  }, 90_000);

  afterAll(async () => {
    await redis.stop();
    cluster.stop();
    rmSync(folder, { recursive: true });
  });

  const variables = (): Record<string, string> => ({ WORKERS: '2', REDIS_URL: redis.url });
  const REFUSED = /WORKERS\s+expected 1 beside `kubernetes` in the configuration: run more replicas/;

  it('are refused at the start, with the way out, before anybody asks the cluster', async () => {
    const started = await runBin(['start', '--config', file], {
      ...variables(),
      HOST: '127.0.0.1',
      PORT: '0',
      ADMIN_PORT: '0',
    });
    expect(started.code).not.toBe(0);
    expect(`${started.stdout}${started.stderr}`).toMatch(REFUSED);
    expect(cluster.asked).toEqual([]);
  }, 60_000);

  it('are refused by whoever only checks', async () => {
    const config = 'version: 1\nkubernetes: { policies: { authentication: public } }\n';
    await expect(checkGateway({ config, environment: variables() })).rejects.toThrow(/WORKERS/);
    await expect(checkGateway({ config })).resolves.toBeUndefined();
  });
});

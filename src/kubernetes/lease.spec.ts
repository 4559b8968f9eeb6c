import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestCluster } from '../../test/support/cluster.ts';
import { ClusterApi } from '../upstreams/discovery/kubernetes/cluster-api.ts';
import { Lease } from './lease.ts';

describe('Lease', () => {
  let cluster: TestCluster;
  let folder: string;
  const leases: { lease: Lease; api: ClusterApi }[] = [];

  beforeEach(async () => {
    cluster = await new TestCluster().start();
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-lease-'));
    writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig);
  });

  afterEach(async () => {
    for (const { lease, api } of leases.splice(0)) {
      await lease.close();
      api.close();
    }
    cluster.stop();
    rmSync(folder, { recursive: true });
  });

  const leaseOf = (): Lease => {
    const api = new ClusterApi({ kubeconfig: join(folder, 'kubeconfig'), context: undefined });
    const options = { name: 'gatehouse', namespace: undefined, renewMs: 20, lastsSeconds: 1 };
    const lease = new Lease({ api, ...options, changed: () => undefined, failed: () => undefined });
    leases.push({ lease, api });
    lease.start();
    return lease;
  };
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 800 && !isSo(); tries += 1) await sleep(5);
    expect(isSo()).toBe(true);
  };

  it('is one’s only, and another one’s as soon as it is given back', async () => {
    const first = leaseOf();
    await until(() => first.isLeader);
    const second = leaseOf();
    await sleep(150);
    expect([first.isLeader, second.isLeader]).toEqual([true, false]);
    await first.close();
    await until(() => second.isLeader);
    expect(cluster.get('Lease', 'gatehouse', 'gatehouse')?.spec).toMatchObject({ leaseDurationSeconds: 1 });
  });

  it('is taken over from who has gone without a word', async () => {
    const spec = { holderIdentity: 'gone', leaseDurationSeconds: 1, leaseTransitions: 3 };
    const metadata = { name: 'gatehouse', namespace: 'gatehouse' };
    cluster.apply({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec });
    const lease = leaseOf();
    await until(() => lease.isLeader);
    expect(cluster.get('Lease', 'gatehouse', 'gatehouse')?.spec).toMatchObject({ leaseTransitions: 4 });
  });

  it('is held no longer than it lasts by who cannot renew it', async () => {
    const lease = leaseOf();
    await until(() => lease.isLeader);
    cluster.instead = () => 500;
    await until(() => !lease.isLeader);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestCluster } from '../../test/support/cluster.ts';
import { ClusterApi } from '../upstreams/discovery/kubernetes/cluster-api.ts';

/** A cluster on the wire, and an API that leads to it. */
export class FollowedTestCluster {
  readonly cluster: TestCluster;
  readonly api: ClusterApi;
  readonly #folder: string;

  private constructor(cluster: TestCluster, folder: string) {
    this.cluster = cluster;
    this.#folder = folder;
    this.api = new ClusterApi({ kubeconfig: join(folder, 'kubeconfig'), context: undefined });
  }

  static async start(): Promise<FollowedTestCluster> {
    const cluster = await new TestCluster().start();
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-feed-'));
    writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig);
    return new FollowedTestCluster(cluster, folder);
  }

  stop(): void {
    this.api.close();
    this.cluster.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Waits until something is so. @throws {Error} when it never is. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries += 1) {
    if (isSo()) return;
    await sleep(5);
  }
  throw new Error(`it never became so: ${isSo.toString()}`);
}

import type { Redis } from 'ioredis';
import { isCluster, mastersOf } from '../../../store/redis-cluster.ts';
import { RevokedKeys, type RevokedKeysHost } from './revoked-keys.ts';

/**
 * The keys `revoked:<jti>` of all servers that have some: of the one that there is, or of each node of a Cluster, for a node
 * knows and tells of its own keys only. Nodes may come and go.
 */
export class RevokedKeysOfAll {
  readonly #redis: Redis;
  readonly #host: RevokedKeysHost;
  readonly #byNode = new Map<Redis, RevokedKeys>();
  #isStarted = false;

  constructor(redis: Redis, host: RevokedKeysHost) {
    this.#redis = redis;
    this.#host = host;
  }

  /**
   * Until when everything is known, on the clock of `performance.now()`; -Infinity before all keys were looked at. Fails closed
   * where a node of a Cluster is lost: what is revoked there is not known.
   */
  get heardAt(): number {
    if (this.#byNode.size === 0) return -Infinity;
    return Math.min(...[...this.#byNode.values()].map(({ heardAt }) => heardAt));
  }

  /** Begins to listen, and to look. */
  start(): void {
    this.#isStarted = true;
    this.#follow();
  }

  /** Ends it. */
  stop(): void {
    this.#isStarted = false;
    for (const keys of this.#byNode.values()) keys.stop();
    this.#byNode.clear();
  }

  /** Looks at all keys once more; what is known meanwhile is as good as it was. */
  lookAgain(): void {
    for (const keys of this.#byNode.values()) keys.lookAgain();
  }

  /** Looks at all keys once more, and knows nothing until that is done. */
  again(): void {
    for (const keys of this.#byNode.values()) keys.again();
  }

  /** Asks for a sign of life. */
  async ping(): Promise<void> {
    this.#follow();
    await Promise.all([...this.#byNode.values()].map((keys) => keys.ping()));
  }

  /** Goes along with nodes that have come and gone. */
  #follow(): void {
    if (!this.#isStarted) return;
    const nodes = new Set(mastersOf(this.#redis));
    for (const [node, keys] of this.#byNode) {
      // Without any node nothing is known; with those that there were, it is known until when it was.
      if (nodes.has(node) || nodes.size === 0) continue;
      keys.stop();
      this.#byNode.delete(node);
    }
    for (const node of nodes) {
      if (this.#byNode.has(node)) continue;
      const keys = new RevokedKeys(node, this.#host, isCluster(this.#redis));
      this.#byNode.set(node, keys);
      keys.start();
    }
  }
}

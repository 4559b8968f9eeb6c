/** What the store says to the operator; pino's shape, so a pino logger can be passed as it is. */
export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Whether there is a connection to Redis: to the server, or to each node of a Cluster. Each change is one line of the log,
 * however many errors come with it.
 */
export class RedisLine {
  readonly #address: string;
  readonly #log: StoreLog;
  readonly #lost = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  #state: 'starting' | 'up' | 'down' = 'starting';

  /** @param address of Redis, without secrets. */
  constructor(address: string, log: StoreLog) {
    this.#address = address;
    this.#log = log;
  }

  /** Whether commands can be sent; for a Cluster, to some of its nodes. */
  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Nodes of a Cluster that there is no connection to. */
  get lost(): readonly string[] {
    return [...this.#lost.keys()];
  }

  /** Has somebody hear of each change. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Notes that commands can be sent. @param server who takes them, where that is not clear. */
  up(server?: string): void {
    if (this.#state === 'up') return;
    this.#state = 'up';
    const at = server === undefined ? '' : ` (${server})`;
    this.#log.info({ redis: this.#address }, `Redis is connected: ${this.#address}${at}`);
    this.#tell();
  }

  /** Notes that nothing can be sent. */
  down(reason: string): void {
    if (this.#state === 'down') return;
    this.#state = 'down';
    this.#log.warn(
      { redis: this.#address, reason },
      `Redis is not reachable: ${this.#address}: ${reason}; reconnecting in the background`,
    );
    this.#tell();
  }

  /** Notes that a node of a Cluster is lost. */
  nodeDown(node: string, reason: string): void {
    if (this.#lost.has(node)) return;
    this.#lost.set(node, reason);
    const message = `A node of the Redis Cluster is not reachable: ${node}: ${reason}; reconnecting in the background`;
    this.#log.warn({ redis: node, reason }, message);
    this.#tell();
  }

  /** Notes that a node of a Cluster is there again. */
  nodeUp(node: string): void {
    if (!this.#lost.delete(node)) return;
    this.#log.info({ redis: node }, `A node of the Redis Cluster is connected again: ${node}`);
    this.#tell();
  }

  /** Notes that a node is none of the Cluster any more, or has no keys of its own. */
  nodeGone(node: string): void {
    if (!this.#lost.delete(node)) return;
    this.#log.info({ redis: node }, `The Redis Cluster does without the node ${node}`);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

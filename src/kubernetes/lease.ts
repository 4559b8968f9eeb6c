import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refused, type ClusterApi } from '../upstreams/discovery/kubernetes/cluster-api.ts';
import { jsonOf, textOf, type Json } from './resource.ts';

const LASTS_SECONDS = 15;
const RENEW_MS = 5000;
const CONFLICT = 409;
const NOT_FOUND = 404;

/** Which Lease, and who hears of it. */
export interface LeaseDeps {
  readonly api: ClusterApi;
  readonly name: string;
  /** Default that of the access. */
  readonly namespace: string | undefined;
  /** Hears that this process has become the leader, or is it no more. */
  changed(isLeader: boolean): void;
  failed(why: string): void;
  /** Default 5 s. */
  readonly renewMs?: number | undefined;
  /** Default 15 s. */
  readonly lastsSeconds?: number | undefined;
}

/**
 * A Lease of a cluster (coordination.k8s.io/v1) by which one of several processes is the leader. Who holds it renews it; it
 * is taken over when nobody has for as long as it lasts, on the own clock of whoever looks: clocks of others are not asked.
 */
export class Lease {
  readonly #deps: LeaseDeps;
  readonly #holder = `${hostname()}_${randomUUID()}`;
  readonly #end = new AbortController();
  readonly #lastsSeconds: number;
  #seen: { readonly version: string; readonly at: number } | undefined = undefined;
  #renewedAt = -Infinity;
  #isLeader = false;
  #path: string | undefined = undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
    this.#lastsSeconds = deps.lastsSeconds ?? LASTS_SECONDS;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  start(): void {
    this.#running = this.#run(this.#end.signal);
  }

  /** Gives it back, so that another one need not wait. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
    if (!this.#isLeader || this.#path === undefined) return;
    this.#isLeader = false;
    const signal = AbortSignal.timeout(2000);
    try {
      const lease = jsonOf(await this.#deps.api.read(this.#path, signal));
      const spec = jsonOf(lease['spec']);
      if (spec['holderIdentity'] !== this.#holder) return;
      const body = { ...lease, spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1 } };
      await this.#deps.api.write({ method: 'PUT', path: this.#path, body }, signal);
    } catch {
      // It ends by itself.
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#became(await this.#hold(signal));
      } catch (error) {
        if (signal.aborted) return;
        // Who cannot renew it is the leader until it ends, and no longer.
        if (performance.now() - this.#renewedAt > this.#lastsSeconds * 1000) this.#became(false);
        this.#deps.failed(error instanceof Error ? error.message : String(error));
      }
      const everyMs = this.#deps.renewMs ?? RENEW_MS;
      await sleep(everyMs * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => undefined);
    }
  }

  #became(isLeader: boolean): void {
    if (isLeader === this.#isLeader) return;
    this.#isLeader = isLeader;
    this.#deps.changed(isLeader);
  }

  async #hold(signal: AbortSignal): Promise<boolean> {
    const { api, name } = this.#deps;
    const namespace = this.#deps.namespace ?? (await api.namespace(signal)) ?? 'default';
    const folder = `apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
    this.#path = `${folder}/${encodeURIComponent(name)}`;
    const lease = await this.#read(this.#path, signal);
    if (lease === undefined) {
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace },
        spec: this.#spec({}),
      };
      return this.#write({ method: 'POST', path: folder, body }, signal);
    }
    const spec = jsonOf(lease['spec']);
    const holder = textOf(spec['holderIdentity']);
    if (holder !== this.#holder && holder !== '' && !this.#isOver(lease, spec)) return false;
    return this.#write(
      { method: 'PUT', path: this.#path, body: { ...lease, spec: this.#spec(spec) } },
      signal,
    );
  }

  async #read(path: string, signal: AbortSignal): Promise<Json | undefined> {
    try {
      return jsonOf(await this.#deps.api.read(path, signal));
    } catch (error) {
      if (error instanceof Refused && error.status === NOT_FOUND) return undefined;
      throw error;
    }
  }

  async #write(
    write: { method: 'POST' | 'PUT'; path: string; body: unknown },
    signal: AbortSignal,
  ): Promise<boolean> {
    const at = performance.now();
    try {
      await this.#deps.api.write(write, signal);
      this.#renewedAt = at;
      return true;
    } catch (error) {
      // Another one was quicker.
      if (error instanceof Refused && error.status === CONFLICT) return false;
      throw error;
    }
  }

  #isOver(lease: Json, spec: Json): boolean {
    const version = textOf(jsonOf(lease['metadata'])['resourceVersion']);
    const now = performance.now();
    if (this.#seen?.version !== version) this.#seen = { version, at: now };
    const lastsMs = Number(spec['leaseDurationSeconds'] ?? this.#lastsSeconds) * 1000;
    return now - this.#seen.at > lastsMs;
  }

  #spec(before: Json): Json {
    const now = new Date().toISOString().replace('Z', '000Z');
    const isOurs = before['holderIdentity'] === this.#holder;
    return {
      holderIdentity: this.#holder,
      leaseDurationSeconds: this.#lastsSeconds,
      acquireTime: isOurs ? before['acquireTime'] : now,
      renewTime: now,
      leaseTransitions:
        Number(before['leaseTransitions'] ?? 0) + Number(!isOurs && before['holderIdentity'] !== undefined),
    };
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import { Refused, type ClusterApi } from '../upstreams/discovery/kubernetes/cluster-api.ts';
import type { WriteOutcome } from './cluster-metrics.ts';
import { KINDS, pathOf, type Kind, type KindName } from './kinds.ts';
import { Lease } from './lease.ts';
import { keyOf, resourceOf, titleOf, type Json, type Resource } from './resource.ts';
import { mergedStatus } from './status-merge.ts';
import type { StatusDraft } from './translate/status-draft.ts';

const GAP_MS = 50;
const RETRY_MS = 2000;
const CONFLICT = 409;
const NOT_FOUND = 404;

/** What statuses are written with. */
export interface StatusWriterDeps {
  readonly api: ClusterApi;
  readonly logger: Logger;
  readonly controller: string;
  readonly lease: { readonly name: string; readonly namespace?: string | undefined };
  /** Hears what became of a write. */
  wrote(outcome: WriteOutcome): void;
}

/**
 * Writes what became of objects into their status: as the leader only, what differs only, one after the other with a pause
 * between them. What could not be written is tried again.
 */
export class StatusWriter {
  readonly #deps: StatusWriterDeps;
  readonly #lease: Lease;
  readonly #end = new AbortController();
  #wanted: readonly StatusDraft[] = [];
  /** What was written to objects that may not have come back from the cluster yet: by kind and key. */
  readonly #written = new Map<string, Resource>();
  #running: Promise<void> | undefined = undefined;
  #isDue = false;

  constructor(deps: StatusWriterDeps) {
    this.#deps = deps;
    const { api, logger, lease } = deps;
    this.#lease = new Lease({
      api,
      name: lease.name,
      namespace: lease.namespace,
      changed: (isLeader) => {
        logger.info(
          { isLeader },
          isLeader ? 'writes the status of objects' : 'does not write the status of objects',
        );
        if (isLeader) this.#begin();
      },
      failed: (why) =>
        logger.warn({ why }, 'the Lease cannot be held: nobody may be writing the status of objects'),
    });
  }

  get isLeader(): boolean {
    return this.#lease.isLeader;
  }

  start(): void {
    this.#lease.start();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
    await this.#lease.close();
  }

  /** What all objects should say from now on. */
  wants(statuses: readonly StatusDraft[]): void {
    this.#wanted = statuses;
    this.#begin();
  }

  #begin(): void {
    this.#isDue = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (this.#isDue && this.#lease.isLeader && !signal.aborted) {
      this.#isDue = false;
      const isWhole = await this.#writeAll(signal);
      if (isWhole || signal.aborted) continue;
      this.#isDue = true;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #writeAll(signal: AbortSignal): Promise<boolean> {
    let isWhole = true;
    for (const draft of this.#wanted) {
      if (signal.aborted || this.#isDue || !this.#lease.isLeader) return true;
      const current = this.#current(draft);
      const status = mergedStatus({ ...draft, of: current }, this.#deps.controller, new Date());
      if (status === undefined) continue;
      isWhole = (await this.#write(draft.kind, current, status, signal)) && isWhole;
      await sleep(GAP_MS, undefined, { signal }).catch(() => undefined);
    }
    return isWhole;
  }

  // Of what we have written the cluster tells a moment later; until then what it answered is newer.
  #current({ kind, of }: StatusDraft): Resource {
    const place = `${kind} ${keyOf(of)}`;
    const written = this.#written.get(place);
    if (written === undefined) return of;
    if (written.generation === of.generation && Number(written.version) > Number(of.version)) return written;
    this.#written.delete(place);
    return of;
  }

  /** @returns whether it need not be tried again. */
  async #write(kindName: KindName, of: Resource, status: Json, signal: AbortSignal): Promise<boolean> {
    const kind = KINDS.find((one) => one.kind === kindName) as Kind;
    const path = `${pathOf(kind, of.namespace, of.name)}/status`;
    // Of an object that has changed since, the next look says what it should say.
    const body = { metadata: { resourceVersion: of.version }, status };
    try {
      const type = 'application/merge-patch+json';
      const answer = await this.#deps.api.write({ method: 'PATCH', path, body, type }, signal);
      this.#written.set(`${kindName} ${keyOf(of)}`, resourceOf(kindName, answer));
      this.#deps.wrote('written');
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      const isOld = error instanceof Refused && (error.status === CONFLICT || error.status === NOT_FOUND);
      this.#deps.wrote(isOld ? 'conflict' : 'failed');
      if (!isOld)
        this.#deps.logger.warn(
          { object: titleOf(of), why: error instanceof Error ? error.message : '' },
          'the status of an object cannot be written',
        );
      return isOld;
    }
  }
}

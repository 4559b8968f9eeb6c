import type { ConfigFault } from '../config/config-fault.ts';
import { toldOnce } from '../config/told-once.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { Snapshot } from './snapshot.ts';

/** Looks whether what is fixed at boot, such as handlers and the GraphQL schema, goes with a snapshot. */
export type SnapshotCheck = (candidate: Snapshot) => readonly ConfigFault[];

/** The snapshot that is in force, and those before it that exchanges still hold. */
export class Snapshots {
  readonly #checks: SnapshotCheck[] = [];
  readonly #sourceChecks: ((source: GatewaySource) => readonly ConfigFault[])[] = [];
  readonly #earlier = new Set<Snapshot>();
  #current: Snapshot;

  /** @param first is put into force, but does not work in the background before {@link start}. */
  constructor(first: Snapshot) {
    this.#current = first;
    first.hold();
  }

  /** The one that an exchange that begins now has. */
  get current(): Snapshot {
    return this.#current;
  }

  /** The one of an exchange. One that nobody has opened, such as of a spec, goes with what is in force. */
  for(exchange: Exchange): Snapshot {
    return exchange.snapshot ?? this.#current;
  }

  /** How many there are that some exchange still holds, the one in force included. */
  get count(): number {
    return this.#earlier.size + 1;
  }

  /** Those that some exchange still holds, and the one in force. */
  get held(): readonly Snapshot[] {
    return [this.#current, ...this.#earlier];
  }

  /** Adds a check of every snapshot after the first. */
  check(check: SnapshotCheck): void {
    this.#checks.push(check);
  }

  /** Adds a check that needs no more than the configuration of a snapshot. */
  checkSource(check: (source: GatewaySource) => readonly ConfigFault[]): void {
    this.#sourceChecks.push(check);
  }

  /** What speaks against putting a snapshot into force. */
  faultsOf(candidate: Snapshot): readonly ConfigFault[] {
    const ofSnapshot = this.#checks.flatMap((check) => check(candidate));
    return toldOnce([...this.sourceFaultsOf(candidate.source), ...ofSnapshot]);
  }

  /** What of that can be told by its configuration alone. */
  sourceFaultsOf(source: GatewaySource): readonly ConfigFault[] {
    return this.#sourceChecks.flatMap((check) => check(source));
  }

  /** Begins the work of the first one in the background. */
  start(): void {
    this.#current.begin();
    this.#current.release();
  }

  /** Puts another one into force for exchanges that begin from now on. */
  replace(next: Snapshot): void {
    const previous = this.#current;
    this.#earlier.add(previous);
    this.#current = next;
    next.begin();
    // At its end, not when somebody looks: the next reload may be weeks away, and a snapshot has pools and whole schemas.
    previous.retire(() => this.#earlier.delete(previous));
  }

  /** Ends all of them; calls under way are cut. */
  async close(): Promise<void> {
    await Promise.all(this.held.map((one) => one.close()));
  }
}

import type { AuditTrail } from '../audit/audit-trail.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import type { ListenerSettings } from '../listeners/listener-settings.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { OwnFields } from '../exchange/own-fields.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { KeyRing } from '../signing/key-ring.ts';
import type { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import type { Edge } from './edge.ts';
import { ownFieldsOf } from './own-fields.ts';

/** What a snapshot is made of. */
export interface SnapshotDeps {
  readonly source: GatewaySource;
  readonly table: RouteTable;
  readonly upstreams: UpstreamRegistry;
  readonly edge: Edge;
  /** Where clients connect. Default: as the environment says. */
  readonly listeners?: readonly ListenerSettings[] | undefined;
  /** The keys that identity tokens are signed with. Default none. */
  readonly keys?: KeyRing | undefined;
  /** Takes note of what exchanges are denied. Default: nobody does. */
  readonly audit?: AuditTrail | undefined;
  /** What was found while it was compiled and is no fault. Default nothing. */
  readonly warnings?: readonly ConfigFault[];
  /** Begins what works in the background while the snapshot is in force. */
  readonly begin: () => void;
  /** Ends that work: another snapshot is in force. */
  readonly retire: () => void;
  /** Ends what nobody needs once its last exchange has ended. */
  readonly end: () => void;
}

/**
 * Everything that one configuration says, compiled. An exchange keeps the one under which it began until it ends,
 * whatever is in force by then; so do sockets and streams. What only this one has ends with its last exchange.
 */
export class Snapshot {
  readonly source: GatewaySource;
  /** The routes of both doors; those of server reflection come as they are learned. */
  readonly table: RouteTable;
  readonly upstreams: UpstreamRegistry;
  readonly edge: Edge;
  /** What no service gets of a client. */
  readonly own: OwnFields;
  readonly audit: AuditTrail | undefined;
  readonly deps: SnapshotDeps;
  /** Exchanges that began under it, and being in force. */
  #holders = 0;
  #hasBegun = false;
  #ended = false;
  #whenEnded: (() => void) | undefined = undefined;

  constructor(deps: SnapshotDeps) {
    this.source = deps.source;
    this.table = deps.table;
    this.upstreams = deps.upstreams;
    this.edge = deps.edge;
    this.own = ownFieldsOf(deps.source.value, deps.table, deps.edge.tracing !== undefined);
    this.audit = deps.audit;
    this.deps = deps;
  }

  /** Keeps it from ending until as many {@link release}. */
  hold(): void {
    this.#holders += 1;
  }

  /** Lets it go. When nobody holds it any more, its stages close, and its targets unless another snapshot has them too. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.discard();
  }

  /** Puts it into force. */
  begin(): void {
    this.hold();
    this.#hasBegun = true;
    this.deps.keys?.hold();
    this.upstreams.activate();
    this.deps.begin();
  }

  /**
   * Takes it out of force: no further exchange begins under it.
   *
   * @param whenEnded is called once, when nobody needs it any more; that may be at once.
   */
  retire(whenEnded: () => void): void {
    this.#whenEnded = whenEnded;
    this.deps.retire();
    this.release();
  }

  /** Ends it, also one that was never in force. */
  discard(): void {
    if (this.#end()) this.upstreams.release();
  }

  /** Ends it although somebody may still need it: the process leaves. Calls under way are cut. */
  async close(): Promise<void> {
    this.deps.retire();
    this.#end();
    await this.upstreams.close();
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    for (const stage of [...this.edge.entrance, ...this.edge.unrouted.heads.answers]) stage.close?.();
    for (const route of this.table.routes) for (const stage of route.stages) stage.close?.();
    this.deps.end();
    if (this.#hasBegun) this.deps.keys?.release();
    this.#whenEnded?.();
    return true;
  }
}

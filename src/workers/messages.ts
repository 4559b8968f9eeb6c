import type { RestartBegin } from '../admin/admin-orders.ts';
import type { RelayedAnswer, RelayedRequest } from '../admin/relayed-requests.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import type { ConfigPlace, NotTaken, OnlyAt, RollbackRefusal } from '../snapshot/config-desk.ts';
import type { ConfigEntry } from '../snapshot/config-history.ts';
import type { NotedChange } from '../telemetry/changes.ts';
import type { Override } from '../upstreams/overrides/target-overrides.ts';
import type { Workforce } from '../health/workforce.ts';
import type { Reload } from '../snapshot/reloads.ts';
import type { MetricFamily } from '../telemetry/metric-family.ts';

/** What a worker begins with. */
export interface Beginning {
  /** All workers make keys of session tickets from it. */
  readonly ticketSecret: Buffer;
  /** The configuration in force, which the file may not say any more. */
  readonly text: string;
  /** Which one that is. */
  readonly place: ConfigPlace;
  /** Whether others serve meanwhile, so that it listens only once it knows its targets. */
  readonly waits: boolean;
}

/** What a worker says of the configuration that it has in force. */
export interface InForce {
  /** The files that it names and that are watched. */
  readonly files: readonly string[];
}

/** Where a worker listens. */
export interface Places extends InForce {
  readonly urls: readonly string[];
}

/** What the primary asks a worker, by name: what it sends, and what it hears. */
export interface Questions {
  /** What operators have ordered of targets. */
  overrides: [undefined, readonly Override[]];
  /** Whether its event loop still turns. */
  alive: [undefined, undefined];
  admin: [RelayedRequest, RelayedAnswer];
  /** Gauges are read where somebody looks, since some tell what was since the last look. */
  metrics: [{ readonly gauges: boolean }, readonly MetricFamily[]];
  reload: [
    {
      readonly round: number;
      readonly trigger: string;
      readonly by?: string | undefined;
      /** Of an earlier configuration: which one. */
      readonly generation?: number | undefined;
      readonly text: string;
      readonly isEcho: boolean;
    },
    InForce & {
      readonly reload: Reload;
      /** What is in force, where files that it includes were left out of it. */
      readonly inForce?: string | undefined;
    },
  ];
}

/** What a worker asks the primary. */
export interface Requests {
  begin: [undefined, Beginning];
  /** Whether a configuration that nothing here speaks against is put into force; what speaks against it elsewhere. */
  agree: [{ readonly round: number }, readonly ConfigFault[]];
  restart: [{ readonly by: string }, RestartBegin];
  /** Which configuration is in force in all workers. */
  place: [undefined, ConfigPlace];
  history: [undefined, readonly ConfigEntry[]];
  text: [{ readonly generation: number }, string | undefined];
  /** Has all of them read the file again. */
  reloadAll: [{ readonly by: string; readonly only: OnlyAt }, Reload | NotTaken];
  rollback: [
    { readonly generation: number; readonly by: string; readonly only: OnlyAt },
    Reload | RollbackRefusal | NotTaken,
  ];
  /** To write to the log; answered when it is its turn. */
  turn: [undefined, undefined];
  /**
   * All that it has counted, at its end. The pipe keeps the order: with the answer it has got every connection that the
   * primary had sent before it knew that the listeners are closed, and has given it back.
   */
  lastMetrics: [readonly MetricFamily[], undefined];
}

/** What the primary tells a worker. */
export interface Orders {
  workforce: Workforce;
  /** `othersServe`: another one has taken its place. */
  leave: { readonly othersServe: boolean };
  cutOff: undefined;
  /** Which configuration is in force now. */
  place: ConfigPlace;
  /** What operators have ordered of targets, for one that comes later. */
  overrides: readonly Override[];
}

/** What a worker tells the primary. */
export interface News {
  listening: Places;
  /** Nothing speaks against traffic any more. */
  serving: undefined;
  /** It will end by itself, and needs somebody in its place. */
  failing: undefined;
  /** Something that may explain how requests fare. */
  changed: NotedChange;
  /** It has written to the log. */
  turnEnds: undefined;
}

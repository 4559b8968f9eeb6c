import type { Kept } from './run-answers.ts';

/**
 * What the operators' listener answers about traffic. Moments are ISO 8601 texts unless a name ends in `Ms`; durations are
 * milliseconds; rates of outcomes go from 0 to 1; a percentile is null where there was no request. Percentiles come from
 * buckets that grow by at most half, so that they err by a sixth or so, and never by more than a bucket.
 */

/** A list, or a part of it. */
export interface ListAnswer<Row> {
  /** How many there are, filtered and all. */
  readonly total: number;
  readonly rows: readonly Row[];
  /** The `from` of what follows; absent at the end. */
  readonly next?: number;
  /** Present where several processes serve: the answer is of one of them. `?worker=2` asks another one. */
  readonly worker?: WorkerNote;
}

/** Whose answer it is where several processes serve. */
export interface WorkerNote {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

/** How something is, in a word. `idle`: nobody has asked within the window. */
export type FlowState = 'well' | 'idle' | 'refusing' | 'slow' | 'failing';

/** Numbers of one window, by default of the last 60 s. */
export interface FlowNumbers {
  /** Requests a second. */
  readonly rps: number;
  /** Share of requests that failed: answered with 500 or more, unless for want of capacity. */
  readonly errorRate: number;
  /** Share of requests that the gateway has refused, with a problem of its own. */
  readonly refusedRate: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** When there was a request last, to within 10 s; null: never since the process began. */
  readonly lastSeen: string | null;
  readonly state: FlowState;
}

/** A route in a list, or several of one prefix. `(none)`: requests that no route takes. */
export interface RouteRow extends FlowNumbers {
  readonly id: string;
  /** The team whose file it stands in. */
  readonly team?: string;
  readonly path: string;
  /** `GET,POST`, or `*`. */
  readonly methods: string;
  /** Empty for a route that asks none. */
  readonly upstream: string;
  /** The prefix that it is listed under: the first two segments of its path, or its host. */
  readonly group: string;
  /** Of a row that stands for several routes: how many. */
  readonly members?: number;
}

/** A route in the short form of a list (`?names=true`), which has an `ETag`. */
export interface RouteName {
  readonly id: string;
  readonly team?: string;
  readonly path: string;
  readonly methods: string;
  readonly upstream: string;
  readonly group: string;
}

/** Numbers over time, each list as long as the others; the last point is not over yet. */
export interface Series {
  readonly stepMs: number;
  /** Start of the first point, in ms since the epoch. */
  readonly fromMs: number;
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  readonly refused: readonly number[];
  readonly p50: readonly (number | null)[];
  readonly p95: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
}

/** What is not as it should be. */
export interface Trouble {
  readonly kind: 'target' | 'breaker' | 'reload' | 'store' | 'certificate' | 'discovery';
  readonly text: string;
  /** When it was first seen; to within a second, or when it began where that is known. */
  readonly since: string;
  readonly upstream?: string;
  readonly target?: string;
  /** Where it is shown, below the console: `upstreams/users?target=…`. */
  readonly href: string;
}

/** `GET /traffic` */
export interface OverviewAnswer {
  readonly at: string;
  readonly startedAt: string;
  /** Of the configuration in force: counts up with each reload of this process. */
  readonly generation: number;
  /** Length of the window of all rates, in ms: 60 to 70 s, less right after the start. */
  readonly windowMs: number;
  readonly process: ProcessNumbers;
  readonly totals: FlowNumbers;
  readonly series: Series;
  readonly routes: number;
  readonly upstreams: number;
  /** At most ten of each. */
  readonly worst: {
    readonly slow: readonly RouteRow[];
    readonly failing: readonly RouteRow[];
    readonly refused: readonly RouteRow[];
  };
  readonly trouble: readonly Trouble[];
  /** How many there are, since `trouble` has 100 at most. */
  readonly troubles: number;
  readonly kept: KeptCounts;
  readonly worker?: WorkerNote;
}

/** `view=process` of the stream, and a part of the overview. */
export interface ProcessNumbers {
  /** The 99th percentile of how late the event loop was, in the last window of 10 s. */
  readonly loopDelayMs: number;
  /** Share of one core that the process has used since the look before; above 1 with several threads. */
  readonly cpu: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  /** Requests whose answer has not ended, streams and sockets included. */
  readonly inFlight: number;
}

/** How many exchanges are kept, and since when. */
export interface KeptCounts {
  readonly refused: number;
  readonly failed: number;
  readonly slow: number;
  /** The oldest one; null while there is none. */
  readonly since: string | null;
  /** Refused and failed ones that were counted and not kept, because more came at once than are kept. */
  readonly skipped: number;
}

/** Why requests of a route were refused. */
export interface RefusalCount {
  readonly code: string;
  readonly stage: string;
  readonly count: number;
}

/** Where the time of requests goes, in ms on the mean, over those that are watched: 20 a second at most. */
export interface Split {
  readonly queue: number;
  /** The gateway's own: stages, handler, and what waits for neither. */
  readonly stages: number;
  readonly upstream: number;
  /** From the head of the upstream's answer until the last byte has gone out. */
  readonly body: number;
  /** How many were watched in the last 10 to 20 minutes. */
  readonly watched: number;
}

/** Somebody who calls: a principal, or an address where nobody is known. Counts are estimates, see docs/traffic.md. */
export interface ClientRow {
  readonly client: string;
  readonly kind: 'principal' | 'address';
  readonly requests: number;
  readonly refused: number;
  /** The routes asked for most, at most 8. */
  readonly routes: readonly CalledRoute[];
  /** What has refused it last for asking too often: the rule, or the code of the problem. */
  readonly limitedBy?: string;
  readonly limitedAt?: string;
}

/** A route that a caller asks for. */
export interface CalledRoute {
  readonly route: string;
  readonly requests: number;
  readonly refused: number;
  /** What its limits had left it at its last request that was counted; absent without any. */
  readonly left?: {
    readonly remaining: number;
    readonly limit: number;
    /** How long until nothing is missing, in ms from `at` on. */
    readonly resetMs: number;
    readonly at: string;
  };
}

/** `GET /traffic/clients` */
export interface ClientsAnswer extends ListAnswer<ClientRow> {
  /** Since when they are counted: 5 to 10 minutes. */
  readonly since: string;
  /** By how much a count may be too high at most. */
  readonly errorBound: number;
}

/** What became of requests of a route at its cache, since the process began. */
export interface CacheCounts {
  readonly hit: number;
  /** Found in Redis. */
  readonly shared: number;
  readonly stale: number;
  /** Answered with what another request has fetched. */
  readonly collapsed: number;
  readonly miss: number;
  /** A stale one that the upstream has confirmed. */
  readonly validated: number;
  readonly bypass: number;
}

/** `GET /traffic/routes/:id` */
export interface RouteAnswer {
  readonly row: RouteRow;
  /** Where the configuration declares it: `gateway.yaml:12:5`, or a handler. */
  readonly origin: string;
  readonly series: Series;
  readonly split: Split | null;
  /** Since `refusalsSince`: 10 to 20 minutes. */
  readonly refusals: readonly RefusalCount[];
  readonly refusalsSince: string;
  readonly clients: readonly {
    readonly client: string;
    readonly requests: number;
    readonly refused: number;
  }[];
  /** Absent where no request has met a cache. */
  readonly cache?: CacheCounts;
  /** The slowest of late, slowest first; at most 10. */
  readonly slowest: readonly Kept[];
  readonly worker?: WorkerNote;
}

/** A target of an upstream. Numbers are of attempts. */
export interface TargetRow extends FlowNumbers {
  /** `host:port`. */
  readonly target: string;
  readonly inFlight: number;
  readonly weight: number;
  readonly available: boolean;
  /** Why it is not, or has no more than one call; null for one that can be called as usual. */
  readonly why: string | null;
}

/** An upstream in a list. Numbers are of attempts, so that retries count. */
export interface UpstreamRow extends FlowNumbers {
  readonly upstream: string;
  readonly targets: number;
  readonly available: number;
  readonly inFlight: number;
}

/** `GET /traffic/upstreams/:name` */
export interface UpstreamAnswer {
  readonly row: UpstreamRow;
  readonly series: Series;
  readonly targets: readonly TargetRow[];
  /** Routes that ask it, the busiest first; at most 100. */
  readonly routes: readonly RouteRow[];
  readonly worker?: WorkerNote;
}

/** A box of the picture. */
export interface PictureNode {
  /** Unique in the picture: `r:users`, `g:/api/v1`, `u:users`, `t:users/10.0.0.1:80`, `r:…more`. */
  readonly id: string;
  readonly label: string;
  readonly rps: number;
  readonly errorRate: number;
  readonly p95: number | null;
  readonly state: FlowState;
  /** Of a box that stands for several: how many. */
  readonly members?: number;
}

/** `GET /traffic/picture` */
export interface PictureAnswer {
  /** `routes` up to 40, else `groups`, and above 1 000 `search`: only the worst, until something is selected. */
  readonly of: 'routes' | 'groups' | 'search';
  readonly routes: readonly PictureNode[];
  readonly upstreams: readonly PictureNode[];
  readonly targets: readonly PictureNode[];
  /** From, to (ids of nodes), requests a second, state. */
  readonly edges: readonly (readonly [string, string, number, FlowState])[];
  readonly worker?: WorkerNote;
}

export type * from './run-answers.ts';

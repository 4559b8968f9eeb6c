import type {
  FlowNumbers,
  FlowState,
  KeptCounts,
  ListAnswer,
  OverviewAnswer,
  PictureAnswer,
  ProcessNumbers,
  RouteAnswer,
  RouteName,
  Series,
  Trouble,
  UpstreamAnswer,
  WorkerNote,
} from './traffic-answers.ts';

/** A GraphQL operation, by the name that its metrics have. `other`: names that are too many. */
export interface OperationRow extends FlowNumbers {
  readonly name: string;
  readonly type: string;
  /** Cost of a run on the mean, and of the dearest one; null where costs are not counted. */
  readonly cost: number | null;
  readonly costMax: number | null;
  readonly errors: readonly { readonly code: string; readonly count: number }[];
}

/** One thing that a run has done, with its place in the whole. */
export interface WaterfallBar {
  readonly name: string;
  readonly sort:
    | 'attempt'
    | 'rpc'
    | 'call'
    | 'section'
    | 'operation'
    | 'event'
    | 'resolver'
    | 'stage'
    | 'store';
  /** Index of what it is a part of; null for the exchange itself. */
  readonly parent: number | null;
  /** From the start of the exchange. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly outcome: string;
  readonly failed: boolean;
}

/** A kind of thing that runs are made of, over the window: what stays when the samples are gone. */
export interface PartRow extends FlowNumbers {
  readonly name: string;
}

/** `GET /traffic/operations/:name`; `?type=` where two have one name. */
export interface OperationAnswer {
  readonly row: OperationRow;
  readonly series: Series;
  /** Of the newest kept run that was watched; null where none is. */
  readonly waterfall: readonly WaterfallBar[] | null;
  readonly run: Kept | null;
  readonly runs: readonly Kept[];
  readonly worker?: WorkerNote;
}

/** A view or an aggregate, as a list shows it. */
export interface ViewRow {
  readonly name: string;
  readonly sections: number;
  readonly rps: number;
  readonly p95: number | null;
  readonly errorRate: number;
}

/** `GET /traffic/views/:name` */
export interface ViewAnswer {
  readonly name: string;
  readonly sections: readonly PartRow[];
  readonly waterfall: readonly WaterfallBar[] | null;
  readonly run: Kept | null;
  readonly runs: readonly Kept[];
  readonly worker?: WorkerNote;
}

/** Why an exchange is kept. `sample`: a watched run of an operation or a view, for its waterfall. */
export type KeptOutcome = 'refused' | 'failed' | 'slow' | 'sample';

/** An exchange that is kept, as the log shows it. */
export interface Kept {
  readonly id: string;
  readonly traceId: string;
  readonly at: string;
  readonly outcome: KeptOutcome;
  readonly method: string;
  /** With the names of query parameters and without their values. */
  readonly path: string;
  readonly host: string;
  /** `(none)` where no route takes it. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  readonly client: string;
  readonly principal?: string;
  readonly code?: string;
  readonly stage?: string;
  /** Why, in a sentence. */
  readonly reason: string;
  /** Of the configuration: `anyRole(admin)`. */
  readonly by?: string;
  /** Where that is said: `gateway.yaml:12:5`. */
  readonly rule?: string;
  /** Of a GraphQL operation: its name. */
  readonly operation?: string;
  /** For `/explain?request=…`: method and target, without values of parameters. */
  readonly explain: string;
  /** Only of a single one, and of runs. */
  readonly line?: string;
  readonly waterfall?: readonly WaterfallBar[];
}

/** `GET /exchanges` */
export interface ExchangesAnswer extends ListAnswer<Kept> {
  readonly kept: KeptCounts;
}

/** `hello` of `/stream`: first of all, and again after a reload. */
export interface StreamHello {
  /** What `Last-Event-ID` has to begin with for going on. */
  readonly epoch: string;
  readonly generation: number;
  readonly at: string;
  readonly view: string;
  /** How often rows come at most. */
  readonly everyMs: number;
  /** For `view=routes`: how many there are, and the `from` of the first one. */
  readonly total?: number;
  /** Present where several processes serve: the stream then ends after each frame, and is asked for again (`retry`). */
  readonly worker?: WorkerNote;
}

/** `dict` of `view=routes`: the routes that numbers in rows mean, by index. Sent again when the order changes. */
export type StreamDict = readonly RouteName[];

/** One row of `view=routes`: index in `dict`, requests a second, errors and refusals in ‰, p50, p95, p99, state. */
export type StreamRow = readonly [
  index: number,
  rps: number,
  errors: number,
  refused: number,
  p50: number | null,
  p95: number | null,
  p99: number | null,
  state: FlowState,
];

/**
 * `rows`. For `view=routes` those that changed, all each 30 s; for the other views the whole answer of the page (`/traffic`,
 * `/traffic/picture`, `/traffic/routes/:id`, `/traffic/upstreams/:name`, or `ProcessNumbers`) whenever something in it changes.
 */
export type StreamRows =
  | readonly StreamRow[]
  | OverviewAnswer
  | PictureAnswer
  | RouteAnswer
  | UpstreamAnswer
  | ProcessNumbers;

/** `mark`: something that explains a bend in a curve. */
export interface StreamMark {
  readonly at: string;
  readonly kind: 'reload' | Trouble['kind'];
  readonly text: string;
  /** Whether it is over. */
  readonly over: boolean;
}

import type { IncomingMessage } from 'node:http';
import type { RoleBook } from '../exchange/role-book.ts';
import type { Subset } from '../exchange/subset.ts';
import type { DoorName } from '../policies/doors.ts';
import type { PolicySet } from '../policies/order.ts';
import type { Seats } from '../policies/seats.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import type { HedgeOptions, HedgePolicy } from '../upstreams/hedging/hedge-policy.ts';
import type { FieldRules } from '../upstreams/identity/field-rules.ts';
import type { RouteIdentityOptions } from '../upstreams/identity/identity.schema.ts';
import type { RetryPolicy, RouteRetryOptions } from '../upstreams/retry-policy.ts';
import type { Condition } from './conditions.ts';
import type { PathPattern } from './path-pattern.ts';
import type { ActionDefinition, RouteAction } from './route-action.ts';

/** What a value of a request must be: a text is exactly that. */
export type ValueMatch =
  | string
  | { readonly present: boolean }
  | { readonly prefix: string }
  /** In RE2's syntax; for the whole value. */
  | { readonly regex: string };

/** Values by name. */
export type ValueMatches = Readonly<Record<string, ValueMatch>>;

/** How a route reads paths that not everybody reads alike. */
export interface PathReading {
  /** Whether a `%2F` is a character of its segment; such a path is refused otherwise. */
  readonly encodedSlashes: 'refuse' | 'pass';
  /** What a path is that differs in a slash at its end: nobody's, the same, or another's. */
  readonly trailingSlash: 'refuse' | 'ignore' | 'distinct';
}

/** What must be true of a request for a route to take it. */
export interface RouteMatch {
  /** Upper-case methods; empty for all. `GET` takes `HEAD` too. */
  readonly methods: readonly string[];
  /** Lower-case host names; empty for all. A leading `*.` stands for any one or more labels. */
  readonly hosts: readonly string[];
  /** Exact path, `{param}` and `{param:regex}` segments, and `*` as the last segment for the rest. */
  readonly path: string;
  /** Header fields; lower-case names. */
  readonly headers: ValueMatches;
  /** Parameters of the query. */
  readonly query?: ValueMatches | undefined;
  readonly cookies?: ValueMatches | undefined;
  /** Ports of listeners that requests may come to; undefined for all. */
  readonly ports?: readonly number[] | undefined;
  /** Paths that it does not take though its pattern does, and all below them. */
  readonly except?: readonly string[] | undefined;
}

/** Chooses among routes that match the same, such as the versions of an API. */
export interface RouteChooser {
  /** The id of the route that a request means. */
  idFor(request: IncomingMessage): string;
  /** Those of all that it may mean, but for the one that only refuses. */
  readonly ids: readonly string[];
  /** The field of the request that it goes by, for `Vary`. */
  readonly vary?: string | undefined;
}

/** A route as data, from either door, before defaults and compilation. */
export interface RouteDefinition {
  readonly id: string;
  /** `proxy` for YAML routes, `handler` for controllers and GraphQL. */
  readonly door: 'proxy' | 'handler';
  /** Where it was declared, for messages: `gateway.yaml:12:5` or `OrdersController.list`. */
  readonly origin: string;
  /** The team whose file it stands in; absent for what is in the gateway's own file, or in code. */
  readonly team?: string | undefined;
  /** The class of its handler; absent for a route that has none. */
  readonly owner?: object | undefined;
  /** Its handler, by which messages find the line. */
  readonly code?: object | undefined;
  readonly match: RouteMatch;
  /** Goes before what matches are ordered by; higher first. Default 0. */
  readonly priority?: number | undefined;
  /** How it reads paths. */
  readonly paths?: PathReading | undefined;
  readonly upstream?: string | undefined;
  /** What it says about retries; the rest is the upstream's to say. */
  readonly retry?: RouteRetryOptions | undefined;
  /** Which targets of the upstream it goes to; absent: what the upstream says. */
  readonly subset?: Subset | undefined;
  /** Whether and when it gets a second attempt beside a slow first one; absent: what the upstream says. */
  readonly hedge?: HedgeOptions | undefined;
  /** Which header fields of clients reach its upstream; absent: what the upstream says. */
  readonly identity?: RouteIdentityOptions | undefined;
  /** What answers it; absent for a handler. */
  readonly action?: ActionDefinition | undefined;
  /** What can be told of what a handler would do; see {@link RouteAction.foresee}. */
  readonly foresee?: RouteAction['foresee'];
  /** The key of the configuration that its match comes from; `match` unless it says otherwise. */
  readonly matchKey?: string | undefined;
  /** Which version of an API it answers for, where there are several. */
  readonly version?: string | undefined;
  /** The id of the route that it is another name of: what callers may spend is one. */
  readonly budgetOf?: string | undefined;
  /** Chooses among the routes of one match; each of them has it. */
  readonly chooser?: RouteChooser | undefined;
  /** Whether its handler answers with a stream of events. Default false. */
  readonly sendsEvents?: boolean | undefined;
  /** The door whose reasons against policies hold for its handler; absent for none. */
  readonly fitsAs?: DoorName | undefined;
  /** Where in its route it stands, when a route of the file is several; or in the file, for what has a section there. */
  readonly below?: readonly string[] | undefined;
  /** Policies by name, narrowest first: route or method, then group or class. */
  readonly policies: readonly DeclaredPolicies[];
}

/** Policies as one level of the configuration declares them: parsed options, or `off`. */
export type DeclaredPolicies = { readonly [Name in keyof PolicySet]?: PolicySet[Name] | 'off' | undefined };

/** A compiled route, with exactly the stages that it needs. Frozen; lives as long as its snapshot. */
export interface Route extends Seats {
  readonly id: string;
  readonly door: 'proxy' | 'handler';
  readonly origin: string;
  /** The team whose file it stands in; absent for what is in the gateway's own file, or in code. */
  readonly team?: string | undefined;
  readonly match: RouteMatch;
  readonly pattern: PathPattern;
  /** What it asks of header fields, query and cookies; mostly nothing. */
  readonly conditions: readonly Condition[];
  readonly priority: number;
  readonly paths: PathReading;
  readonly upstream: string | undefined;
  /** When a request is tried again; absent: what the upstream says. */
  readonly retry?: RetryPolicy | undefined;
  /** Which targets of the upstream it goes to; absent: what the upstream says. */
  readonly subset?: Subset | undefined;
  /** When it gets a second attempt beside a slow first one; null for never, absent: what the upstream says. */
  readonly hedge?: HedgePolicy | null | undefined;
  /** Which header fields of clients reach its upstream; absent: what the upstream says. */
  readonly fieldRules?: FieldRules | undefined;
  /** The key of the configuration that its match comes from; `match` unless it says otherwise. */
  readonly matchKey?: string | undefined;
  readonly chooser?: RouteChooser | undefined;
  readonly action: RouteAction;
  readonly policies: PolicySet;
  /** What the roles of callers mean. Default: each means itself. */
  readonly roles?: RoleBook | undefined;
  /** Which level of the configuration each policy comes from, those that it switches off included. */
  readonly levels: Readonly<Partial<Record<string, string>>>;
  /** Whether the configuration says its deadline; else it is the one that holds where nobody says anything. */
  readonly saysDeadline?: boolean;
  /** Metrics with the labels of this route already filled in. */
  readonly metrics: RouteMetrics;
}

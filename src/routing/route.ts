import type { PolicySet } from '../policies/order.ts';
import type { Seats } from '../policies/seats.ts';
import type { RouteMetrics } from '../telemetry/metrics.ts';
import type { RetryPolicy, RouteRetryOptions } from '../upstreams/retry-policy.ts';
import type { PathPattern } from './path-pattern.ts';
import type { ActionDefinition, RouteAction } from './route-action.ts';

/** What must be true of a request for a route to take it. */
export interface RouteMatch {
  /** Upper-case methods; empty for all. `GET` takes `HEAD` too. */
  readonly methods: readonly string[];
  /** Lower-case host names; empty for all. A leading `*.` stands for any one or more labels. */
  readonly hosts: readonly string[];
  /** Exact path, `{param}` segments, and `*` as the last segment for the rest. */
  readonly path: string;
  /** Header fields that must have exactly this value; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A route as data, from either door, before defaults and compilation. */
export interface RouteDefinition {
  readonly id: string;
  /** `proxy` for YAML routes, `handler` for controllers and GraphQL. */
  readonly door: 'proxy' | 'handler';
  /** Where it was declared, for messages: `gateway.yaml:12:5` or `OrdersController.list`. */
  readonly origin: string;
  readonly match: RouteMatch;
  readonly upstream?: string | undefined;
  /** What it says about retries; the rest is the upstream's to say. */
  readonly retry?: RouteRetryOptions | undefined;
  /** What answers it; absent for a handler. */
  readonly action?: ActionDefinition | undefined;
  /** The key of the configuration that its match comes from; `match` unless it says otherwise. */
  readonly matchKey?: string | undefined;
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
  readonly match: RouteMatch;
  readonly pattern: PathPattern;
  readonly upstream: string | undefined;
  /** When a request is tried again; absent: what the upstream says. */
  readonly retry?: RetryPolicy | undefined;
  /** The key of the configuration that its match comes from; `match` unless it says otherwise. */
  readonly matchKey?: string | undefined;
  readonly action: RouteAction;
  readonly policies: PolicySet;
  /** Whether the configuration says its deadline; else it is the one that holds where nobody says anything. */
  readonly saysDeadline?: boolean;
  /** Metrics with the labels of this route already filled in. */
  readonly metrics: RouteMetrics;
}

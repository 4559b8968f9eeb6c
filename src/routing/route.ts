import type { PolicySet } from '../policies/registry.ts';
import type { Stage, StageName } from '../policies/stage.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Binding } from '../upstreams/grpc/transcoding/binding.ts';
import type { RouteMetrics } from '../telemetry/metrics.ts';
import type { Aggregate } from './aggregate/aggregate.ts';
import type { PathPattern } from './path-pattern.ts';
import type { Rewrite } from './rewrite.ts';

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
  readonly rewrite?:
    { readonly stripPrefix?: string | undefined; readonly path?: string | undefined } | undefined;
  /** How it is translated to gRPC; `unknown` while the upstream has not told which methods it has. */
  readonly grpc?: Binding | 'unknown' | undefined;
  /** What it is composed of, when no single upstream answers. */
  readonly aggregate?: Aggregate | undefined;
  /** Policies by name, narrowest first: route or method, then group or class. */
  readonly policies: readonly DeclaredPolicies[];
}

/** Policies as one level of the configuration declares them: parsed options, or `off`. */
export type DeclaredPolicies = { readonly [Name in keyof PolicySet]?: PolicySet[Name] | 'off' | undefined };

/** A compiled route. Frozen; lives as long as its snapshot. */
export interface Route {
  readonly id: string;
  readonly door: 'proxy' | 'handler';
  readonly origin: string;
  readonly match: RouteMatch;
  readonly pattern: PathPattern;
  readonly upstream: string | undefined;
  /** The upstream of that name in the snapshot of the route. */
  readonly leadsTo?: Upstream | undefined;
  readonly rewrite: Rewrite | undefined;
  /** How it is translated to gRPC; `unknown` while the upstream has not told which methods it has. */
  readonly grpc?: Binding | 'unknown' | undefined;
  /** What it is composed of, when no single upstream answers. */
  readonly aggregate?: Aggregate | undefined;
  readonly policies: PolicySet;
  /** Exactly the stages this route needs, in execution order. */
  readonly stages: readonly Stage[];
  /** Those of them that are entered before a body is read at the code-first door, and those after it. */
  readonly beforeBody: readonly Stage[];
  readonly afterBody: readonly Stage[];
  /** The same stages by name, for the adapters of the code-first door. */
  readonly seats: { readonly [Name in StageName]?: Stage };
  /** The stages that act on the way out, in reverse order. */
  readonly leaving: readonly Stage[];
  /** Metrics with the labels of this route already filled in. */
  readonly metrics: RouteMetrics;
}

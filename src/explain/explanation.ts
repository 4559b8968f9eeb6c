/** What would become of a request, step by step. */
export interface Explanation {
  /** The configuration that it was asked of. */
  readonly config: string;
  readonly request: {
    readonly method: string;
    readonly target: string;
    readonly host: string;
    readonly client: string;
  };
  readonly match: ExplainedMatch;
  /** In the order in which they are met; those that are switched off as well. */
  readonly policies: readonly ExplainedPolicy[];
  /** Why it goes no further than the policies. */
  readonly refused?: Refusal | undefined;
  /** What answers; absent where nothing does. */
  readonly action?: { readonly kind: string; readonly of: string | undefined } | undefined;
  readonly upstream?: ExplainedUpstream | undefined;
  /** What would be sent on; absent where nothing is, or where it depends on other answers. */
  readonly sent?: SentOn | undefined;
}

/** A problem that the client would be told of. */
export interface Refusal {
  /** The policy, or `match`. */
  readonly by: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** Which route takes it, and why others do not. */
export interface ExplainedMatch {
  readonly route?: NamedRoute | undefined;
  /** Values of the path parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly candidates: readonly (NamedRoute & { readonly why: string })[];
  /** How many other routes there are, with other paths. */
  readonly others: number;
}

/** A route, as far as one has to know it to find it. */
export interface NamedRoute {
  readonly id: string;
  readonly methods: string;
  readonly path: string;
  readonly origin: string;
}

/** A policy that is in force on the route, or switched off. */
export interface ExplainedPolicy {
  readonly policy: string;
  /** The level of the configuration that says so. */
  readonly from: string;
  /** Its options in a few words, or `off`. */
  readonly says: string;
  /** What it would go by for this request, such as keys. */
  readonly facts?: Readonly<Record<string, string>> | undefined;
  readonly refuses?: Refusal | undefined;
}

/** Whose turn it would be. */
export interface ExplainedUpstream {
  readonly name: string;
  readonly balancing: string;
  readonly targets: readonly ExplainedTarget[];
}

/** One target, and whether it would be asked. */
export interface ExplainedTarget {
  readonly target: string;
  readonly isPicked: boolean;
  readonly why: string;
}

/** The head of a request to a target, without secrets. */
export interface SentOn {
  readonly to: string;
  readonly line: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Length of the body in bytes; 0 for none. */
  readonly bodyBytes: number;
}

/** What would become of a request, step by step. */
export interface Explanation {
  /** The configuration that it was asked of. */
  readonly config: string;
  readonly request: {
    readonly method: string;
    readonly target: string;
    readonly host: string;
    readonly client: string;
    /** Who is assumed to call; absent for nobody. */
    readonly caller?: string | undefined;
  };
  /** What it meets before a route is looked for, as far as the configuration has it. */
  readonly entrance: readonly ExplainedStep[];
  readonly match: ExplainedMatch;
  /** In the order in which they are met; those that are switched off as well. */
  readonly policies: readonly ExplainedPolicy[];
  /** Why it goes no further. */
  readonly refused?: Refusal | undefined;
  /** What the gateway answers itself, a policy or its route. */
  readonly answered?: { readonly by: string; readonly what: string } | undefined;
  /** What answers; absent where nothing does. */
  readonly action?: { readonly kind: string; readonly of: string | undefined } | undefined;
  /** Why not all can be told of what it would do. */
  readonly untold?: string | undefined;
  /** The side of a canary that it is on, and why. */
  readonly side?: { readonly name: string; readonly why: string } | undefined;
  /** What would be sent, request by request; the one whose answer is passed on comes first. */
  readonly requests: readonly ExplainedRequest[];
}

/** A problem that the client would be told of. */
export interface Refusal {
  /** The policy, `match`, or the kind of the route. */
  readonly by: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** What is wrong, place by place, where the problem lists it. */
  readonly errors?: readonly string[] | undefined;
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
  /** The team whose file it stands in. */
  readonly team?: string | undefined;
}

/** What every request meets, whatever its route. */
export interface ExplainedStep {
  /** The key of the configuration, or `entrance`. */
  readonly step: string;
  readonly does: Exclude<ExplainedPolicy['does'], 'off'>;
  readonly why?: string | undefined;
  readonly refuses?: Refusal | undefined;
}

/** A policy that is in force on the route, or switched off. */
export interface ExplainedPolicy {
  readonly policy: string;
  /** The level of the configuration that says so. */
  readonly from: string;
  /** Its options in a few words, or `off`. */
  readonly says: string;
  /** What it would do; `depends` on what cannot be told without running it. */
  readonly does: 'passes' | 'changes' | 'answers' | 'depends' | 'refuses' | 'off';
  /** What it changes or answers, what it depends on. */
  readonly why?: string | undefined;
  /** Whether the request gets there: no policy before it refuses or answers. */
  readonly isMet: boolean;
  /** What it would go by for this request, such as keys. */
  readonly facts?: Readonly<Record<string, string>> | undefined;
  readonly refuses?: Refusal | undefined;
}

/** A request that would be made. */
export interface ExplainedRequest {
  /** Name of a call, or `mirror`; absent for the request itself. */
  readonly name?: string | undefined;
  /** Whether it is made at all, what it waits for, and the like. */
  readonly note?: string | undefined;
  /** Absent where only code knows. */
  readonly upstream?: ExplainedUpstream | undefined;
  /** The head; absent where it is not made, or depends on other answers. */
  readonly sent?: SentOn | undefined;
  /** The field of its answer that the client gets in place of the whole, by its name in JSON. */
  readonly answerField?: string | undefined;
}

/** Whose turn it would be. */
export interface ExplainedUpstream {
  readonly name: string;
  readonly balancing: string;
  /** How many calls are under way, where that is limited for all targets together. */
  readonly load?: string | undefined;
  readonly targets: readonly ExplainedTarget[];
}

/** One target, and whether it would be asked. */
export interface ExplainedTarget {
  readonly target: string;
  readonly isPicked: boolean;
  readonly why: string;
}

/** A request to a target, without secrets. */
export interface SentOn {
  /** The target; absent where only code knows. */
  readonly to?: string | undefined;
  readonly line: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: SentBody | undefined;
}

/** The body of a request to a target. */
export interface SentBody {
  readonly bytes: number;
  /** What has become of it, where it is not as the client sent it. */
  readonly as?: string | undefined;
  /** Its JSON, or the beginning of it, without secrets; absent for what is no JSON. */
  readonly json?: string | undefined;
}

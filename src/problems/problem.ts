import { catalogue, type CatalogueEntry, type ProblemCode } from './catalogue.ts';

/** What the gateway, or a service, has no capacity for: nobody has failed. */
const OVERLOAD: ReadonlySet<ProblemCode> = new Set([
  'concurrency-limited',
  'upstream-saturated',
  'load-shed',
]);

/** What a problem says beyond its catalogue entry. */
export interface ProblemOptions {
  /** One sentence that is safe for the caller: no host names, no upstream text, no stack. */
  readonly detail?: string;
  /** Response header fields, for example `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Extension members of the body (RFC 9457 section 3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** The error behind it; named in the log, never sent. */
  readonly cause?: unknown;
  /** Which rule refused, in names of the configuration, such as `anyRole(admin)`: for the log, never sent. */
  readonly by?: string | undefined;
  /** What the configuration has it answered as, in place of what its catalogue entry says. */
  readonly as?: ProblemStatus | undefined;
}

/** The status of a problem, in HTTP and in gRPC; absent: that of its catalogue entry. */
export interface ProblemStatus {
  readonly http?: number | undefined;
  readonly grpc?: number | undefined;
}

/**
 * An answer of ours that says no (RFC 9457). A stage passes or throws one of these; only the problem
 * stage writes it. Creating one does not capture a stack: a refusal is an answer, not a defect.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly extensions: Readonly<Record<string, unknown>> | undefined;
  readonly detail: string | undefined;
  /** See {@link ProblemOptions.by}. */
  readonly by: string | undefined;
  /** See {@link ProblemOptions.as}. */
  readonly as: ProblemStatus | undefined;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(options.detail ?? catalogue[code].title);
    Error.stackTraceLimit = limit;
    this.code = code;
    this.detail = options.detail;
    this.headers = options.headers;
    this.extensions = options.extensions;
    this.by = options.by;
    this.as = options.as;
    if (options.cause !== undefined) this.cause = options.cause;
  }

  /** The catalogue entry of the code. */
  get entry(): CatalogueEntry {
    return catalogue[this.code];
  }

  /** Whether it refuses for want of capacity, which is counted apart from faults. */
  get isOverload(): boolean {
    return OVERLOAD.has(this.code);
  }

  /** HTTP status of the answer. */
  get status(): number {
    return this.as?.http ?? catalogue[this.code].status;
  }

  /** The same problem with more extension members. */
  with(extensions: Readonly<Record<string, unknown>>): Problem {
    const { code, detail, headers, cause, by, as } = this;
    return new Problem(code, {
      ...(detail === undefined ? {} : { detail }),
      ...(headers === undefined ? {} : { headers }),
      extensions: { ...this.extensions, ...extensions },
      cause,
      by,
      as,
    });
  }
}

/** The media type of every error body of ours. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/**
 * Renders a problem as an RFC 9457 body.
 *
 * @param exchangeId the request id; becomes `instance`, which ties the answer to the access line.
 */
export function problemBody(problem: Problem, exchangeId: string): Record<string, unknown> {
  return {
    type: `urn:gatehouse:problem:${problem.code}`,
    title: problem.entry.title,
    status: problem.status,
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    instance: `urn:gatehouse:exchange:${exchangeId}`,
    code: problem.code,
    ...problem.extensions,
  };
}

/** `Retry-After` wants whole seconds; at least one, so that nobody retries in the same instant. */
export function retryAfterSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)));
}

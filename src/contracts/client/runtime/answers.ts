/** How much of the tightest limit is left. */
export interface RateLimitState {
  /** Requests that the limit takes at once. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until nothing of it is used any more. */
  readonly resetSeconds: number;
}

/** What comes with an answer. */
export interface Told {
  readonly status: number;
  readonly headers: Headers;
  /** Names the exchange in the logs of the gateway. */
  readonly requestId: string | undefined;
  /** Undefined for a route without limits. */
  readonly rateLimit: RateLimitState | undefined;
}

/** An answer: data, or the problem that the gateway says no with. */
export type Answered<Data, Code extends string> =
  | (Told & { readonly data: Data; readonly problem?: undefined })
  | (Told & { readonly data?: undefined; readonly problem: { [One in Code]: ProblemErrorOf<One> }[Code] });

/** One thing that is wrong with a request. */
export interface InputError {
  /** A JSON pointer into the body or the query. */
  readonly pointer?: string;
  readonly parameter?: string;
  readonly message?: string;
  readonly detail?: string;
}

/** The body of a problem (RFC 9457); members that are not named here are extensions. */
export interface ProblemBody<Code extends string> {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance: string;
  readonly code: Code;
  readonly errors?: readonly InputError[];
  readonly section?: string;
  readonly [extension: string]: unknown;
}

/** That the gateway itself says no, and why. */
export class ProblemErrorOf<Code extends string> extends Error {
  override readonly name = 'ProblemError';
  readonly code: Code;
  readonly status: number;
  readonly body: ProblemBody<Code>;
  readonly operationId: string;
  /** When another try makes sense; undefined when the gateway does not say. */
  readonly retryAfterSeconds: number | undefined;
  readonly rateLimit: RateLimitState | undefined;
  readonly headers: Headers;

  constructor(operationId: string, body: ProblemBody<Code>, response: Response) {
    super(`${operationId}: ${body.detail ?? body.title} (${body.code})`);
    this.operationId = operationId;
    this.code = body.code;
    this.status = response.status;
    this.body = body;
    this.headers = response.headers;
    this.retryAfterSeconds = numberOf(response.headers, 'retry-after');
    this.rateLimit = rateLimitOf(response.headers);
  }
}

/** Thrown for an answer that is neither what the operation answers nor a problem. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
  readonly operationId: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;

  constructor(operationId: string, response: Response, text: string) {
    super(`${operationId}: unexpected answer with status ${response.status}`);
    this.operationId = operationId;
    this.status = response.status;
    this.headers = response.headers;
    this.text = text;
  }
}

/** @internal */
export function rateLimitOf(headers: Headers): RateLimitState | undefined {
  const limit = numberOf(headers, 'x-ratelimit-limit');
  const remaining = numberOf(headers, 'x-ratelimit-remaining');
  const resetSeconds = numberOf(headers, 'x-ratelimit-reset');
  if (limit === undefined || remaining === undefined || resetSeconds === undefined) return undefined;
  return { limit, remaining, resetSeconds };
}

function numberOf(headers: Headers, name: string): number | undefined {
  const value = headers.get(name);
  return value !== null && /^\d+$/.test(value) ? Number(value) : undefined;
}

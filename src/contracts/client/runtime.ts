/** What a client is made with. */
export interface ClientOptions {
  /** Where the gateway is, such as `https://api.example.com`; may have a path. */
  readonly baseUrl: string;
  /** Asked for before each request that needs one; the first that has something to say is sent. */
  readonly credentials?: Credentials | undefined;
  /** Makes the requests. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Header fields of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Hears of every answer before it is read, problems included. */
  readonly onAnswer?: ((operationId: string, response: Response) => void) | undefined;
}

type Secret = () => string | undefined | Promise<string | undefined>;

/** Where credentials come from. A token that has expired is best refreshed here. */
export interface Credentials {
  /** Gives a token, without `Bearer`. */
  readonly jwt?: Secret | undefined;
  /** Gives a token that the authorization server is asked about, without `Bearer`. */
  readonly introspection?: Secret | undefined;
  /** Gives an API key. */
  readonly apiKey?: Secret | undefined;
}

/** What may differ from request to request. */
export interface CallOptions {
  /** Ends the request; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How much of the tightest limit is left. */
export interface RateLimitState {
  /** Requests that the limit takes at once. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until nothing of it is used any more. */
  readonly resetSeconds: number;
}

/** An answer, and what came with it. */
export interface Answered<Data> {
  readonly data: Data;
  readonly status: number;
  readonly headers: Headers;
  /** Names the exchange in the logs of the gateway. */
  readonly requestId: string | undefined;
  /** Undefined for a route without limits. */
  readonly rateLimit: RateLimitState | undefined;
}

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

/** Thrown when the gateway itself says no. */
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

/** How an operation is sent and read. */
interface Plan {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** The sets of credentials that each open it, the preferred one first. */
  readonly schemes: readonly (readonly (keyof Credentials)[])[];
  readonly answer: 'json' | 'nothing' | 'response';
  /** Media type of the body; undefined when the caller sends what it likes. */
  readonly bodyType?: string;
  /** The parameter of the path that may have slashes. */
  readonly rest?: string;
  /** Parameters of the query that are lists with commas. */
  readonly commas?: readonly string[];
}

interface Input {
  readonly path?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: object | undefined;
  readonly headers?: object | undefined;
  readonly body?: unknown;
}

/** Sends an operation and reads its answer. */
export async function send<Data>(
  client: ClientOptions,
  plan: Plan,
  input: Input,
  options: CallOptions,
): Promise<Answered<Data>> {
  const url =
    client.baseUrl.replace(/\/+$/, '') + pathOf(plan, input.path ?? {}) + queryOf(plan, input.query ?? {});
  const init: RequestInit = { method: plan.method, headers: await headersOf(client, plan, input, options) };
  if (input.body !== undefined) Object.assign(init, bodyOf(plan, input.body));
  if (options.signal !== undefined) init.signal = options.signal;
  const response = await (client.fetch ?? globalThis.fetch)(url, init);
  client.onAnswer?.(plan.id, response);
  const data = (await read(plan, response)) as Data;
  const { status, headers } = response;
  const requestId = headers.get('x-request-id') ?? undefined;
  return { data, status, headers, requestId, rateLimit: rateLimitOf(headers) };
}

function pathOf({ id, path, rest }: Plan, values: Readonly<Record<string, unknown>>): string {
  return path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const text = String(values[name] ?? '');
    const segments = name === rest ? text.replace(/^\//, '').split('/') : [text];
    // A URL would take `..` for the way up, which is another operation.
    if (segments.some((one) => one === '.' || one === '..') || (text === '' && name !== rest)) {
      throw new TypeError(`${id}: ${JSON.stringify(text)} cannot stand for {${name}} in a path`);
    }
    return segments.map(encodeURIComponent).join('/');
  });
}

function queryOf({ commas = [] }: Plan, values: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    const list = Array.isArray(value) ? (value as unknown[]).map(String) : [String(value)];
    if (commas.includes(name)) query.append(name, list.join(','));
    else for (const one of list) query.append(name, one);
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

async function headersOf(
  client: ClientOptions,
  plan: Plan,
  input: Input,
  options: CallOptions,
): Promise<Headers> {
  const headers = new Headers(client.headers);
  if (plan.answer === 'json') headers.set('accept', 'application/json, application/problem+json');
  if (plan.bodyType !== undefined && input.body !== undefined) headers.set('content-type', plan.bodyType);
  for (const given of [input.headers, options.headers]) {
    for (const [name, value] of Object.entries(given ?? {}) as [string, unknown][]) {
      if (value !== undefined) headers.set(name, String(value));
    }
  }
  await addCredentials(client, plan, headers);
  return headers;
}

async function addCredentials({ credentials }: ClientOptions, plan: Plan, headers: Headers): Promise<void> {
  for (const schemes of plan.schemes) {
    const secrets = await Promise.all(schemes.map((scheme) => credentials?.[scheme]?.()));
    if (!secrets.every((secret) => secret !== undefined)) continue;
    schemes.forEach((scheme, index) => {
      if (scheme !== 'apiKey') headers.set('authorization', `Bearer ${secrets[index]}`);
      else headers.set('x-api-key', String(secrets[index]));
    });
    return;
  }
}

function bodyOf({ bodyType }: Plan, body: unknown): Pick<RequestInit, 'body'> & { readonly duplex?: 'half' } {
  if (bodyType === 'application/json') return { body: JSON.stringify(body) };
  const raw = body as NonNullable<RequestInit['body']>;
  // A stream is sent while it is made (https://fetch.spec.whatwg.org/#dom-requestinit-duplex).
  return body instanceof ReadableStream ? { body: raw, duplex: 'half' } : { body: raw };
}

async function read(plan: Plan, response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok && type.startsWith('application/problem+json')) {
    const body = asProblem(await (plan.answer === 'response' ? response.clone() : response).text());
    // An upstream may have problems of its own; those belong to its answers.
    if (body !== undefined) throw new ProblemErrorOf(plan.id, body, response);
    if (plan.answer !== 'response') throw new UnexpectedAnswerError(plan.id, response, '');
  }
  if (plan.answer === 'response') return response;
  const text = await response.text();
  if (!response.ok) throw new UnexpectedAnswerError(plan.id, response, text);
  if (plan.answer === 'nothing') return undefined;
  return parsed(text) ?? unreadable(plan, response, text);
}

function unreadable(plan: Plan, response: Response, text: string): unknown {
  if (text.trim() === 'null') return null;
  throw new UnexpectedAnswerError(plan.id, response, text);
}

function asProblem(text: string): ProblemBody<string> | undefined {
  const body = parsed(text) as Partial<ProblemBody<string>> | undefined;
  return body?.type?.startsWith('urn:gatehouse:problem:') ? (body as ProblemBody<string>) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function rateLimitOf(headers: Headers): RateLimitState | undefined {
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

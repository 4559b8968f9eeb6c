import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a client saw of one request. */
export interface Seen {
  /** `200`, the status and code of a problem, what broke, or that an answer was not whole. */
  readonly kind: string;
  /** When it was due, on the clock of `performance.now()`. */
  readonly dueAt: number;
  /** Since it was due, in ms. */
  readonly ms: number;
  /** Which target has answered, if it said so. */
  readonly servedBy: string | undefined;
}

/** How a load is made. */
export interface SteadyLoadOptions {
  readonly perSecond: number;
  /** Default GET, and POST with a body. */
  readonly method?: string;
  /** Fields of each request. */
  readonly headers?: () => Record<string, string>;
  /** Of each request. */
  readonly body?: string;
  /** What is made of an answer that was asked for at a time of the clock; default {@link readAnswer}. */
  readonly read?: (head: AnswerHead, text: string, askedAt: number) => Answered;
}

/** The status and the fields of an answer. */
export interface AnswerHead {
  readonly statusCode?: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What became of a request. */
export type Answered = Pick<Seen, 'kind' | 'servedBy'>;

const MOST_SOCKETS = 256;
/** An answer that does not come at all is a kind, too; longer than any limit of a gateway here. */
export const PATIENCE_MS = 20_000;

/** So many requests a second over HTTP/1.1, whatever becomes of those before; a request counts from when it was due. */
export class SteadyLoad {
  readonly seen: Seen[] = [];
  protected readonly url: string;
  protected readonly options: SteadyLoadOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS });
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(url: string, options: SteadyLoadOptions) {
    this.url = url;
    this.options = options;
  }

  /** Begins. */
  start(): this {
    this.#running = this.#run();
    return this;
  }

  /** Ends it, after the answers of what is under way. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    const asked: Promise<void>[] = [];
    const everyMs = 1000 / this.options.perSecond;
    for (let dueAt = performance.now(); !this.#isOver; dueAt += everyMs) {
      const wait = dueAt - performance.now();
      if (wait > 1) await sleep(wait);
      asked.push(this.#ask(dueAt));
    }
    await Promise.all(asked);
  }

  async #ask(dueAt: number): Promise<void> {
    const { kind, servedBy } = await this.once();
    this.seen.push({ kind, servedBy, dueAt, ms: performance.now() - dueAt });
  }

  /** One request. */
  protected once(): Promise<Answered> {
    const askedAt = Date.now();
    return new Promise((resolve) => {
      const broke = (what: string) => resolve({ kind: what, servedBy: undefined });
      const { method, body, read = readAnswer } = this.options;
      const options = {
        agent: this.#agent,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: this.options.headers?.() ?? {},
        timeout: PATIENCE_MS,
      };
      const outgoing = request(this.url, options, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        incoming.once('error', () => broke(`cut after ${incoming.statusCode}`));
        incoming.once('end', () => resolve(read(incoming, text, askedAt)));
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')));
      outgoing.once('error', ({ code, message }: NodeJS.ErrnoException) => broke(code ?? message)).end(body);
    });
  }
}

/** By the status, the code of a problem, and whether the answer is whole: all answers here are JSON. */
export function readAnswer({ statusCode = 0, headers }: AnswerHead, text: string): Answered {
  let body: { readonly code?: string; readonly target?: string };
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    return { kind: `${statusCode}, not the whole answer`, servedBy: undefined };
  }
  const { code, target: servedBy } = body;
  if (code === undefined) return { kind: String(statusCode), servedBy };
  const says = statusCode !== 503 || headers['retry-after'] !== undefined ? '' : ', no Retry-After';
  return { kind: `${statusCode} ${code}${says}`, servedBy };
}

/** The value below which that share of numbers is. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

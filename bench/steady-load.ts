import { Agent, request, type IncomingMessage } from 'node:http';
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
  /** Fields of each request. */
  readonly headers?: () => Record<string, string>;
}

const MOST_SOCKETS = 256;
/** An answer that does not come at all is a kind, too; longer than any limit of a gateway here. */
const PATIENCE_MS = 20_000;

/** So many requests a second, whatever becomes of those before; a request counts from when it was due. */
export class SteadyLoad {
  readonly seen: Seen[] = [];
  readonly #url: string;
  readonly #options: SteadyLoadOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS });
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(url: string, options: SteadyLoadOptions) {
    this.#url = url;
    this.#options = options;
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
    const everyMs = 1000 / this.#options.perSecond;
    for (let dueAt = performance.now(); !this.#isOver; dueAt += everyMs) {
      const wait = dueAt - performance.now();
      if (wait > 1) await sleep(wait);
      asked.push(this.#ask(dueAt));
    }
    await Promise.all(asked);
  }

  async #ask(dueAt: number): Promise<void> {
    const { kind, servedBy } = await this.#once();
    this.seen.push({ kind, servedBy, dueAt, ms: performance.now() - dueAt });
  }

  #once(): Promise<Pick<Seen, 'kind' | 'servedBy'>> {
    return new Promise((resolve) => {
      const broke = (what: string) => resolve({ kind: what, servedBy: undefined });
      const options = { agent: this.#agent, headers: this.#options.headers?.() ?? {}, timeout: PATIENCE_MS };
      const outgoing = request(this.#url, options, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        incoming.once('error', () => broke(`cut after ${incoming.statusCode}`));
        incoming.once('end', () => resolve(readAnswer(incoming, text)));
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')));
      outgoing.once('error', ({ code, message }: NodeJS.ErrnoException) => broke(code ?? message)).end();
    });
  }
}

function readAnswer(
  { statusCode = 0, headers }: IncomingMessage,
  text: string,
): Pick<Seen, 'kind' | 'servedBy'> {
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

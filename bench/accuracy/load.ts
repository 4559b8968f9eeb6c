import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a limit can be. */
export const PRECISIONS = ['exact', 'leased'] as const;
/** One of {@link PRECISIONS}. */
export type Precision = (typeof PRECISIONS)[number];

/** What became of the requests of one key. */
export interface Counts {
  readonly precision: Precision;
  readonly key: string;
  asked: number;
  admitted: number;
  refused: number;
  /** Neither: the limiter could not tell, or nothing was answered. */
  other: number;
  /** When the first was sent, and when the last one was answered, on the clock of `performance.now()`. */
  firstAt: number;
  lastAt: number;
}

/** How the load is made. */
export interface RandomLoadOptions {
  readonly origins: readonly string[];
  readonly keys: number;
  /** Of each key, for each precision. */
  readonly perSecond: number;
  readonly random: () => number;
}

const MOST_SOCKETS = 64;
/** What a gateway does for the first time takes it longer, while tokens of those who wait for it flow in. */
const WARM_UP = { requests: 300, key: '198.51.100.1' };

/** Requests with random keys at random gateways, at random moments that are so many a second. */
export class RandomLoad {
  readonly #options: RandomLoadOptions;
  readonly #counts: readonly Counts[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS });

  constructor(options: RandomLoadOptions) {
    this.#options = options;
    const keys = Array.from({ length: options.keys }, (_, index) => `192.0.2.${index + 1}`);
    const none = { asked: 0, admitted: 0, refused: 0, other: 0, firstAt: Infinity, lastAt: 0 };
    this.#counts = PRECISIONS.flatMap((precision) => keys.map((key) => ({ precision, key, ...none })));
  }

  /** Goes on for so long, and until all is answered. */
  async run(ms: number): Promise<readonly Counts[]> {
    const { perSecond, random } = this.#options;
    const asked: Promise<void>[] = [];
    const everyMs = 1000 / (perSecond * this.#counts.length);
    const end = performance.now() + ms;
    for (let dueAt = performance.now(); dueAt < end; dueAt -= Math.log(1 - random()) * everyMs) {
      const wait = dueAt - performance.now();
      if (wait > 1) await sleep(wait);
      asked.push(this.#ask(this.#pick(this.#counts)));
    }
    await Promise.all(asked);
    this.#agent.destroy();
    return this.#counts;
  }

  /** Has each gateway do everything a few times, for a key of its own. */
  async warmUp(): Promise<void> {
    for (const origin of this.#options.origins)
      for (let index = 0; index < WARM_UP.requests; index += 1)
        await this.#status(`${origin}/${PRECISIONS[index % PRECISIONS.length]}`, WARM_UP.key);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#options.random() * list.length)] as T;
  }

  async #ask(counts: Counts): Promise<void> {
    counts.asked += 1;
    counts.firstAt = Math.min(counts.firstAt, performance.now());
    const status = await this.#status(`${this.#pick(this.#options.origins)}/${counts.precision}`, counts.key);
    counts.lastAt = performance.now();
    if (status === 204) counts.admitted += 1;
    else if (status === 429) counts.refused += 1;
    else counts.other += 1;
  }

  #status(url: string, key: string): Promise<number> {
    return new Promise((resolve) => {
      const outgoing = request(
        url,
        { agent: this.#agent, headers: { 'x-forwarded-for': key } },
        (incoming) => {
          incoming.resume().once('close', () => resolve(incoming.statusCode ?? 0));
        },
      );
      outgoing.once('error', () => resolve(0)).end();
    });
  }
}

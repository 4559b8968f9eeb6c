import { Readable } from 'node:stream';
import type { Exchange } from '../exchange/exchange.ts';
import { KeptAnswer } from './kept-answer.ts';
import { KeptBody } from './kept-body.ts';
import { recordedExchange, type KeptBodies } from './recorded-exchange.ts';
import { FORMAT, VERSION, type SampleEnd } from './sample-format.ts';

/** What is recorded, and for how long. */
export interface RecordingOptions {
  readonly forMs: number;
  /** Share of exchanges, from above 0 to 1. */
  readonly rate: number;
  /** Most exchanges. */
  readonly max: number;
  /** Most bytes of the sample. */
  readonly bytes: number;
  /** Most exchanges of one route; rare ones are not crowded out. */
  readonly perRoute: number;
  /** Most bytes of one body; 0 for none. */
  readonly bodies: number;
  /** Most bytes of the body of one answer. Default none. */
  readonly answers?: number;
  /** What the first line says besides. */
  readonly about: { readonly gateway: string; readonly config: string };
  /** Default `Math.random`. */
  readonly random?: () => number;
  /** Wall clock in ms. Default `Date.now`. */
  readonly now?: () => number;
}

/** What waits for a reader that is slow; more is lost, and counted. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;
const SIGN_EVERY_MS = 30_000;

/** One recording: lines of JSON, as they come. It ends by itself, and when whoever reads it leaves. */
export class Recording {
  /** The sample. */
  readonly lines: Readable;
  readonly #options: RecordingOptions;
  readonly #ofRoute = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #signs: NodeJS.Timeout;
  readonly #ended: () => void;
  #isOver = false;
  #bytes = 0;
  #recorded = 0;
  #skipped = 0;
  #lost = 0;

  /** @param ended is called once, at the end. */
  constructor(options: RecordingOptions, ended: () => void) {
    this.#options = options;
    this.#ended = ended;
    this.lines = new Readable({ read: () => undefined, highWaterMark: MOST_WAITING_BYTES });
    this.lines.once('close', () => this.end('stopped'));
    this.#timer = setTimeout(() => this.end('time'), options.forMs).unref();
    // Whoever reads would take silence for the end of the connection.
    this.#signs = setInterval(() => this.lines.push('\n'), SIGN_EVERY_MS).unref();
    const { about, forMs, rate, perRoute, bodies, answers = 0, now = Date.now } = options;
    const started = new Date(now()).toISOString();
    this.#write({
      format: FORMAT,
      version: VERSION,
      ...about,
      started,
      forMs,
      rate,
      perRoute,
      bodies,
      answers,
    });
  }

  /** Hears of an exchange that has just been opened. */
  opened(exchange: Exchange): void {
    const { rate, random = Math.random, bodies, answers = 0 } = this.#options;
    if (rate < 1 && random() >= rate) {
      this.#skipped += 1;
      return;
    }
    const body = bodies > 0 ? new KeptBody(exchange.request, bodies) : undefined;
    const answer = answers > 0 ? new KeptAnswer(exchange.response, answers) : undefined;
    exchange.onClosed(() => this.#closed(exchange, { body, answer }));
  }

  #closed(exchange: Exchange, kept: KeptBodies): void {
    if (this.#isOver) return;
    const { perRoute, max, bytes, now = Date.now } = this.#options;
    const route = exchange.route?.id ?? '';
    const count = this.#ofRoute.get(route) ?? 0;
    if (count >= perRoute) {
      this.#skipped += 1;
      return;
    }
    if (this.lines.readableLength >= MOST_WAITING_BYTES) {
      this.#lost += 1;
      return;
    }
    const line = recordedExchange(exchange, kept, now());
    if (!this.#write(line)) return this.end('bytes');
    this.#ofRoute.set(route, count + 1);
    this.#recorded += 1;
    if (this.#recorded >= max || this.#bytes >= bytes) this.end(this.#recorded >= max ? 'max' : 'bytes');
  }

  /** @returns whether there was room. */
  #write(value: object): boolean {
    const line = `${JSON.stringify(value)}\n`;
    const size = Buffer.byteLength(line);
    if (this.#bytes + size > this.#options.bytes) return false;
    this.#bytes += size;
    this.lines.push(line);
    return true;
  }

  /** Ends it; later calls do nothing. */
  end(why: SampleEnd['end']): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearInterval(this.#signs);
    this.#ended();
    const end: SampleEnd = { end: why, recorded: this.#recorded, skipped: this.#skipped, lost: this.#lost };
    // Beyond the limit of bytes: without it nobody would know that the sample is whole.
    if (!this.lines.destroyed) {
      this.lines.push(`${JSON.stringify(end)}\n`);
      this.lines.push(null);
    }
  }
}

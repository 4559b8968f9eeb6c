import { connect, type Socket } from 'node:net';

/** What is sent again and again. */
export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  /** Names and values; `host` among them. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
}

/** One round of load: a closed loop over connections that are kept. */
export interface LoadOptions {
  readonly port: number;
  readonly request: LoadRequest;
  readonly connections: number;
  readonly forMs: number;
}

/** What a round has seen. */
export interface LoadResult {
  readonly answers: number;
  /** How many of each status; 0 for connections that ended without one. */
  readonly statuses: Readonly<Record<string, number>>;
  /** In ms. */
  readonly p50: number;
  readonly p99: number;
  readonly tookMs: number;
  /** Head and body of one that was no 2xx, at most 2000 characters. */
  readonly sample: string | undefined;
}

const LONGEST_SAMPLE = 2000;
/** So many connections that end without an answer are enough to know. */
const MOST_BROKEN = 1000;
const HEAD_END = Buffer.from('\r\n\r\n');
const CHUNKS_END = Buffer.from('0\r\n\r\n');

/** Makes one round of load. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const round = new Round(options);
  await Promise.all(Array.from({ length: options.connections }, () => round.run()));
  return round.result();
}

class Round {
  readonly #options: LoadOptions;
  readonly #bytes: Buffer;
  readonly #statuses = new Map<number, number>();
  readonly #times: number[] = [];
  readonly #began = performance.now();
  #sample: string | undefined = undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#bytes = bytesOf(options.request);
  }

  result(): LoadResult {
    const times = this.#times.toSorted((one, other) => one - other);
    const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
    return {
      answers: times.length,
      statuses: Object.fromEntries(this.#statuses),
      p50: at(0.5),
      p99: at(0.99),
      tookMs: performance.now() - this.#began,
      sample: this.#sample,
    };
  } // prettier-ignore

  /** Uses one connection after the other until time is up. */
  async run(): Promise<void> {
    while (this.#goesOn) await this.#connection();
  }

  get #goesOn(): boolean {
    const broken = this.#statuses.get(0) ?? 0;
    return performance.now() - this.#began < this.#options.forMs && broken < MOST_BROKEN;
  }

  #connection(): Promise<void> {
    return new Promise((done) => {
      const socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true });
      let pending: Buffer = Buffer.alloc(0);
      let sentAt = 0;
      const send = (): void => {
        sentAt = performance.now();
        socket.write(this.#bytes);
      };
      socket.once('connect', send).on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        const answer = readAnswer(pending);
        if (answer === undefined) return;
        this.#noted(answer, sentAt, pending);
        pending = Buffer.alloc(0);
        if (!this.#goesOn || answer.closes) socket.destroy();
        else send();
      });
      socket.once('close', () => {
        if (sentAt === 0 || this.#isCut(socket, pending)) this.#count(0);
        done();
      });
      socket.setTimeout(this.#options.forMs + 10_000, () => socket.destroy());
    });
  }

  // Within an answer, or while one is waited for: what was ended here has nothing pending.
  #isCut(socket: Socket, pending: Buffer): boolean {
    return pending.length > 0 || socket.readableEnded;
  }

  #noted({ status }: Answer, sentAt: number, bytes: Buffer): void {
    this.#times.push(performance.now() - sentAt);
    this.#count(status);
    if (status < 200 || status > 299) this.#sample ??= bytes.toString('latin1', 0, LONGEST_SAMPLE);
  }

  #count(status: number): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
  }
}

function bytesOf({ method, path, headers, body }: LoadRequest): Buffer {
  const length = body === undefined ? [] : [['content-length', String(Buffer.byteLength(body))] as const];
  const lines = [...headers, ...length].map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`);
}

interface Answer {
  readonly status: number;
  readonly closes: boolean;
}

/** The answer that is there as a whole; undefined while it is not. */
export function readAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end).toLowerCase();
  const status = Number(head.slice(9, 12));
  const from = end + HEAD_END.length;
  const answer = { status, closes: /^connection:.*\bclose\b/m.test(head) };
  const length = /^content-length: *(\d+)/m.exec(head)?.[1];
  if (length !== undefined) return bytes.length >= from + Number(length) ? answer : undefined;
  const isChunked = /^transfer-encoding:.*\bchunked\b/m.test(head);
  if (isChunked && !bytes.subarray(-CHUNKS_END.length).equals(CHUNKS_END)) return undefined;
  return answer;
}

import { connect, type Socket } from 'node:net';

/** A round of load. */
export interface PacedOrder {
  /** `http://host:port` */
  readonly origin: string;
  readonly path: string;
  /** Requests in a second, whatever becomes of those before. */
  readonly perSecond: number;
  readonly seconds: number;
  readonly connections: number;
}

/** What became of it. */
export interface PacedOutcome {
  readonly requests: number;
  /** Answers other than 200, and connections that broke. */
  readonly failures: number;
  /** Requests that left more than {@link LATE_MS} after they were due. */
  readonly late: number;
}

const TICK_MS = 1;
const LATE_MS = 20;
/** Who has not answered by then never will. */
const PATIENCE_MS = 10_000;
const OK = 'HTTP/1.1 200 ';
const END_OF_HEAD = '\r\n\r\n';

/** Connections to one origin, which stay open between rounds; what is written and read is as little as can be, to leave the core to others. */
export class PacedClient {
  readonly #origin: URL;
  readonly #idle: Socket[] = [];
  readonly #all = new Set<Socket>();
  /** When requests were due that found no connection idle. */
  #due: number[] = [];
  #underway = 0;
  #line = '';
  #outcome = { requests: 0, failures: 0, late: 0 };
  #whenDone: (() => void) | undefined = undefined;

  constructor(origin: string) {
    this.#origin = new URL(origin);
  }

  /** Makes a round of load. Resolves once all has been answered, or has waited for ten seconds. */
  async run({ path, perSecond, seconds, connections }: PacedOrder): Promise<PacedOutcome> {
    await this.#connect(connections);
    this.#line = `GET ${path} HTTP/1.1\r\nhost: ${this.#origin.host}\r\naccept: application/json\r\n\r\n`;
    this.#outcome = { requests: 0, failures: 0, late: 0 };
    const total = Math.round(perSecond * seconds);
    const beganAt = performance.now();
    let asked = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(total, Math.floor(((performance.now() - beganAt) * perSecond) / 1000));
        for (; asked < due; asked += 1) this.#ask(beganAt + (1000 * asked) / perSecond);
        if (asked < total) return;
        clearInterval(timer);
        resolve();
      }, TICK_MS);
    });
    await this.#answered();
    return { ...this.#outcome };
  }

  /** Ends the connections. */
  close(): void {
    for (const socket of this.#all) socket.destroy();
  }

  #ask(dueAt: number): void {
    const socket = this.#idle.shift();
    if (socket === undefined) return void this.#due.push(dueAt);
    if (performance.now() - dueAt > LATE_MS) this.#outcome.late += 1;
    this.#outcome.requests += 1;
    this.#underway += 1;
    socket.write(this.#line, 'latin1');
  }

  async #answered(): Promise<void> {
    if (this.#underway === 0) return;
    const giveUp = setTimeout(() => {
      this.#outcome.failures += this.#underway + this.#due.length;
      this.#underway = 0;
      this.#due = [];
      this.#whenDone?.();
    }, PATIENCE_MS);
    await new Promise<void>((resolve) => (this.#whenDone = resolve));
    clearTimeout(giveUp);
  }

  async #connect(connections: number): Promise<void> {
    const missing = Math.max(0, connections - this.#all.size);
    await Promise.all(Array.from({ length: missing }, () => this.#open()));
  }

  #open(): Promise<void> {
    const socket = connect({ host: this.#origin.hostname, port: Number(this.#origin.port), noDelay: true });
    this.#all.add(socket);
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      rest = rest === '' ? piece : rest + piece;
      const length = lengthOf(rest);
      if (length === undefined || rest.length < length) return;
      if (!rest.startsWith(OK) || rest.length > length) this.#outcome.failures += 1;
      rest = '';
      this.#free(socket);
    });
    // One that is idle is not missed.
    socket.once('close', () => {
      this.#all.delete(socket);
      const at = this.#idle.indexOf(socket);
      if (at !== -1) this.#idle.splice(at, 1);
      else this.#end(1);
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        this.#idle.push(socket);
        resolve();
      });
    });
  }

  #free(socket: Socket): void {
    this.#idle.push(socket);
    this.#end(0);
    const dueAt = this.#due.shift();
    if (dueAt !== undefined) this.#ask(dueAt);
  }

  #end(failures: number): void {
    this.#outcome.failures += failures;
    this.#underway = Math.max(0, this.#underway - 1);
    if (this.#underway === 0 && this.#due.length === 0) this.#whenDone?.();
  }
}

/** How long an answer is, by its `Content-Length`; undefined before its head is whole. */
export function lengthOf(text: string): number | undefined {
  const end = text.indexOf(END_OF_HEAD);
  if (end === -1) return undefined;
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end)) ?? [];
  // Without one it has no end that could be told here: what comes next is an answer that is not 200.
  return end + END_OF_HEAD.length + Number(length ?? 0);
}

import cluster, { type Worker } from 'node:cluster';
import type { LineBuffer } from '../telemetry/line-buffer.ts';
import { Channel } from './channel.ts';
import { relayLines } from './line-relay.ts';
import type { Beginning, News, Orders, Places, Questions, Requests } from './messages.ts';
import { WORKER_VARIABLE } from './worker-variable.ts';

/** How a worker is: a `leaving` one answers what it has, and takes nothing new. */
export type MemberState = 'starting' | 'serving' | 'leaving' | 'ended';

/** How a process has ended. */
export interface MemberEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Who hears of a worker. */
export interface MemberDeps {
  readonly out: LineBuffer;
  readonly err: LineBuffer;
  begin(member: Member): Beginning;
  agree(member: Member): Requests['agree'][1] | Promise<Requests['agree'][1]>;
  restart(by: string): void;
  listening(member: Member, places: Places): void;
  serving(member: Member): void;
  failing(member: Member): void;
  lastMetrics(member: Member, families: News['lastMetrics']): void;
}

/** One worker, as the primary has it. */
export class Member {
  readonly slot: number;
  readonly startedAt = Date.now();
  readonly channel: Channel<Questions, Orders, Requests, News>;
  /** Resolves once it is gone. */
  readonly exited: Promise<MemberEnd>;
  /** The same, once all that it wrote was read. */
  readonly ended: Promise<MemberEnd>;
  state: MemberState = 'starting';
  places: Places | undefined = undefined;
  readonly #worker: Worker;
  #limit: NodeJS.Timeout | undefined = undefined;

  constructor(slot: number, deps: MemberDeps) {
    this.slot = slot;
    const worker = (this.#worker = cluster.fork({ [WORKER_VARIABLE]: String(slot) }));
    const { process } = worker;
    this.channel = new Channel<Questions, Orders, Requests, News>(process as never, {
      answers: {
        begin: () => deps.begin(this),
        agree: () => deps.agree(this),
        restart: ({ by }) => void deps.restart(by),
      },
      hears: {
        listening: (places) => deps.listening(this, places),
        serving: () => deps.serving(this),
        failing: () => deps.failing(this),
        lastMetrics: (families) => deps.lastMetrics(this, families),
      },
    });
    // A line that was not finished is no JSON; what Node says at its end is not either, and wanted.
    const outputs = [
      process.stdout && relayLines(process.stdout, deps.out, false),
      process.stderr && relayLines(process.stderr, deps.err, true),
    ];
    this.exited = new Promise((resolve) => {
      process.once('exit', (code, signal) => {
        this.state = 'ended';
        clearTimeout(this.#limit);
        this.channel.close();
        resolve({ code, signal });
      });
    });
    this.ended = Promise.all(outputs).then(() => this.exited);
    process.on('error', () => undefined);
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** Whether clients reach it. */
  get isListening(): boolean {
    return this.places !== undefined && this.state !== 'leaving' && this.state !== 'ended';
  }

  /** Has it drained and ended. @param limitMs after which it is killed. */
  leave(othersServe: boolean, limitMs: number): void {
    if (this.state === 'ended') return;
    this.state = 'leaving';
    // One that has not begun has nothing to finish.
    if (this.places === undefined) return this.kill();
    void this.channel.tell('leave', { othersServe });
    this.#limit ??= setTimeout(() => this.kill(), limitMs);
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }
}

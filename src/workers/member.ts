import cluster, { type Worker } from 'node:cluster';
import type { RestartBegin } from '../admin/admin-orders.ts';
import type { ConfigDesk } from '../snapshot/config-desk.ts';
import type { NotedChange } from '../telemetry/changes.ts';
import type { LineBuffer } from '../telemetry/line-buffer.ts';
import { Channel } from './channel.ts';
import { relayLines } from './line-relay.ts';
import type { Beginning, News, Orders, Places, Questions, Requests } from './messages.ts';
import type { Turns } from './turns.ts';
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
  readonly err: LineBuffer;
  /** Whose turn it is to write to the log. */
  readonly turns: Turns<unknown>;
  begin(member: Member): Beginning;
  agree(member: Member, round: number): Requests['agree'][1] | Promise<Requests['agree'][1]>;
  restart(by: string): RestartBegin;
  /** What workers ask of configurations. */
  readonly config: ConfigDesk;
  changed(member: Member, change: NotedChange): void;
  listening(member: Member, places: Places): void;
  serving(member: Member): void;
  failing(member: Member): void;
  /** A connection did not get there, and no other one will. */
  starving(member: Member): void;
  lastMetrics(member: Member, families: Requests['lastMetrics'][0]): undefined;
}

/** One worker, as the primary has it. */
export class Member {
  readonly slot: number;
  readonly startedAt = Date.now();
  readonly #since = performance.now();
  readonly channel: Channel<Questions, Orders, Requests, News>;
  /** Resolves once it is gone. */
  readonly exited: Promise<MemberEnd>;
  /** The same, once all that it wrote was read. */
  readonly ended: Promise<MemberEnd>;
  state: MemberState = 'starting';
  places: Places | undefined = undefined;
  readonly #worker: Worker;
  #limit: NodeJS.Timeout | undefined = undefined;
  #hasBegun = false;
  #isAsked = false;
  #silent = 0;

  constructor(slot: number, deps: MemberDeps) {
    this.slot = slot;
    const worker = (this.#worker = cluster.fork({ [WORKER_VARIABLE]: String(slot) }));
    const { process } = worker;
    this.channel = new Channel<Questions, Orders, Requests, News>(process as never, {
      answers: {
        begin: () => {
          this.#hasBegun = true;
          return deps.begin(this);
        },
        agree: ({ round }) => deps.agree(this, round),
        restart: ({ by }) => deps.restart(by),
        place: () => deps.config.place(),
        history: () => deps.config.history(),
        text: ({ generation }) => deps.config.text(generation),
        reloadAll: ({ by, only }) => deps.config.reload(by, only),
        rollback: ({ generation, by, only }) => deps.config.rollback(generation, by, only),
        lastMetrics: (families) => deps.lastMetrics(this, families),
        turn: () => new Promise((resolve) => deps.turns.take(this, () => resolve(undefined))),
      },
      hears: {
        listening: (places) => deps.listening(this, places),
        serving: () => deps.serving(this),
        failing: () => deps.failing(this),
        turnEnds: () => deps.turns.end(this),
        changed: (change) => deps.changed(this, change),
      },
    });
    // One without a file descriptor for a connection says so, and Node never hands it another one of that listener.
    process.on('internalMessage', ({ cmd }: { readonly cmd?: string }) => {
      if (cmd === 'NODE_HANDLE_NACK') deps.starving(this);
    });
    const output = process.stderr && relayLines(process.stderr, deps.err);
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.state = 'ended';
        clearTimeout(this.#limit);
        this.channel.close();
        deps.turns.leave(this);
        resolve({ code, signal });
      };
      process.once('exit', end);
      // One that could not be started at all, such as for want of file descriptors, does not end either.
      process.on('error', () => process.pid === undefined && end(null, null));
    });
    this.ended = Promise.resolve(output).then(() => this.exited);
  }

  /** For how long it has been there, in ms. */
  get ageMs(): number {
    return performance.now() - this.#since;
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

  /** Whether it owes an answer for longer than others do. */
  get isSilent(): boolean {
    return this.#isAsked && this.#silent > 0;
  }

  /** Asks it whether it is alive, unless it owes an answer. @returns how often it has been looked at since it was asked. */
  beat(): number {
    // Until it has loaded what it consists of it answers nothing, on a busy machine for long.
    if (!this.#hasBegun) return 0;
    if (this.#isAsked) return (this.#silent += 1);
    this.#isAsked = true;
    this.#silent = 0;
    this.channel.ask('alive', undefined).then(
      () => (this.#isAsked = false),
      () => undefined,
    );
    return 0;
  }

  /** Ends it at once. */
  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }
}

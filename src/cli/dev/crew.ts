import { DevChild, type ChildEnd } from './child-process.ts';
import type { DevCommand } from './dev-command.ts';
import type { FromChild } from './messages.ts';

/** Whoever hears of the children. */
export interface CrewEvents {
  /** The one that serves says something. */
  heard(message: FromChild): void;
  /** The one that serves has ended by itself. */
  crashed(end: ChildEnd): void;
}

/** How a start has ended. */
export type Started = Extract<FromChild, { is: 'ready' | 'failed' }>;

/** What one that another takes over from may take to finish, in ms: more than it gives its exchanges. */
const LEAVE_MS = 10_000;
const END_MS = 1000;

/** The processes of a gateway under development: one that serves, one that is about to, and a spare one that has loaded the gateway's own code. */
export class DevCrew {
  readonly #events: CrewEvents;
  readonly #begin: { readonly command: DevCommand; readonly color: boolean };
  readonly #all = new Set<DevChild>();
  #current: DevChild | undefined = undefined;
  #spare: DevChild | undefined = undefined;
  #next: DevChild | undefined = undefined;
  #isEnding = false;

  constructor(events: CrewEvents, begin: { readonly command: DevCommand; readonly color: boolean }) {
    this.#events = events;
    this.#begin = begin;
  }

  /** Whether somebody serves. */
  get serves(): boolean {
    return this.#current?.lives === true;
  }

  /** Starts another gateway, which takes over once it serves. Until then, and when it does not, the one before goes on. */
  async start(): Promise<Started> {
    const child = this.#spare ?? this.#made(false);
    this.#spare = undefined;
    this.#next = child;
    const started = await this.#begun(child);
    this.#next = undefined;
    if (started.is === 'ready') await this.#takeOver(child);
    else if (child.lives) void child.end('end', END_MS);
    if (!this.#isEnding) this.#spare = this.#made(true);
    return started;
  }

  /** Has the one that serves read its configuration again. */
  reload(): void {
    this.#current?.tell({ is: 'reload' });
  }

  /** Ends the one that is about to serve, if there is one. */
  abandon(): void {
    this.#next?.kill();
  }

  /** Gives up the spare one: it has loaded code that is old by now. */
  forgetSpare(): void {
    this.#spare?.kill();
    this.#spare = undefined;
  }

  /** Ends all of them. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all([...this.#all].map((child) => (child === this.#current ? child.end('end', END_MS) : this.#killed(child))));
  } // prettier-ignore

  /** Ends all of them without asking. */
  kill(): void {
    this.#isEnding = true;
    for (const child of this.#all) child.kill();
  }

  #made(isSpare: boolean): DevChild {
    const child = new DevChild(isSpare);
    this.#all.add(child);
    void child.ended.then((end) => {
      this.#all.delete(child);
      if (child === this.#spare) this.#spare = undefined;
      if (child !== this.#current) return;
      this.#current = undefined;
      if (!this.#isEnding) this.#events.crashed(end);
    });
    return child;
  }

  async #begun(child: DevChild): Promise<Started> {
    const heard = new Promise<Started>((resolve) => {
      child.hear = (message) => {
        if (message.is === 'ready' || message.is === 'failed') resolve(message);
        else this.#events.heard(message);
      };
    });
    child.tell({ is: 'begin', ...this.#begin });
    const ended = child.ended.then((end): Started => ({ is: 'failed', text: endText(end), files: [] }));
    return Promise.race([heard, ended]);
  }

  // Once it is told that another gateway serves, that one answers whatever comes.
  async #takeOver(child: DevChild): Promise<void> {
    const before = this.#current;
    this.#current = child;
    if (before === undefined) return;
    const left = new Promise<void>((resolve) => {
      before.hear = ({ is }) => (is === 'left' ? resolve() : undefined);
    });
    await Promise.race([left, before.end('leave', LEAVE_MS)]);
  }

  async #killed(child: DevChild): Promise<void> {
    child.kill();
    await child.ended;
  }
}

/** How a process has ended, in words. */
export function endText({ code, signal }: ChildEnd): string {
  return `its process has ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`;
}

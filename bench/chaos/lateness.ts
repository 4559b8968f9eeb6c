import { percentile } from '../steady-load.ts';

const EVERY_MS = 20;
/** A turn that is later than this on a machine that has nothing else to do is rare. */
const QUIET_MS = 25;
const LATELY_MS = 1000;
/** Turns of processes that lie between a cause and what is seen of it: of gateways, of what they ask, and of who looks. */
const TURNS = 8;
const MOST_SLOWNESS = 5;
/** A machine that is later than this is no place to judge what has a time: that is broken then. */
const MOST_SLACK_MS = 2500;

/** How late the machine is: what a process waits for its turn beyond the time that it asked for. */
export class Lateness {
  readonly #late: { readonly at: number; readonly ms: number }[] = [];
  #timer: NodeJS.Timeout | undefined = undefined;

  start(): this {
    let dueAt = performance.now() + EVERY_MS;
    this.#timer = setInterval(() => {
      const at = performance.now();
      this.#late.push({ at, ms: Math.max(0, at - dueAt) });
      dueAt = at + EVERY_MS;
    }, EVERY_MS).unref();
    return this;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * By how much something that has a time may be later than that since a moment: the longest wait for a turn, for each turn
   * that it takes. Next to nothing on a machine that has nothing else to do.
   */
  slackMs(since: number): number {
    const longest = Math.max(0, ...this.#late.filter(({ at }) => at >= since).map(({ ms }) => ms));
    return longest <= QUIET_MS ? 0 : Math.min(TURNS * longest, MOST_SLACK_MS);
  }

  /** So many a second as the machine can do beside what else it does: as many as asked for, or down to a fifth. */
  scaled(perSecond: number): number {
    return perSecond / this.slowness;
  }

  /** How much slower than a quiet one the machine has been lately: from 1 to 5. */
  get slowness(): number {
    const since = performance.now() - LATELY_MS;
    const lately = this.#late.filter(({ at }) => at >= since).map(({ ms }) => ms);
    const late = lately.length === 0 ? 0 : percentile(lately, 0.9);
    return Math.min(MOST_SLOWNESS, Math.max(QUIET_MS, late) / QUIET_MS);
  }
}

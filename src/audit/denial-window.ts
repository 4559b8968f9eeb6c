const WINDOW_MS = 1000;
/** Addresses and reasons that are told apart within a window. */
const MOST_KEPT = 10_000;
/** Summaries of a window that name their address; the others are one. */
const MOST_NAMED = 20;

/** How many events are let through in a second. */
export interface DenialLimits {
  readonly perAddress: number;
  readonly perSecond: number;
}

/** Events of a window that were not let through. */
export interface Suppressed {
  /** Undefined for those of many addresses. */
  readonly address: string | undefined;
  readonly reason: string | undefined;
  readonly count: number;
}

interface Seen {
  readonly address: string;
  readonly reason: string;
  passed: number;
  suppressed: number;
}

/**
 * Lets so many events through in a second, of one address and reason and of all, so that who is refused a million times fills
 * no disk. The others are counted, and told of once the second is over: nothing is lost silently. Bounded in memory as well.
 */
export class DenialWindow {
  readonly #limits: DenialLimits;
  readonly #tell: (suppressed: Suppressed) => void;
  readonly #now: () => number;
  #seen = new Map<string, Seen>();
  #passed = 0;
  #unkept = 0;
  #endsAt = -Infinity;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(limits: DenialLimits, tell: (suppressed: Suppressed) => void, now = () => performance.now()) {
    this.#limits = limits;
    this.#tell = tell;
    this.#now = now;
  }

  /** Whether an event may be written. @param address or block of addresses that one subscriber has. */
  takes(address: string, reason: string): boolean {
    const now = this.#now();
    if (now >= this.#endsAt) {
      this.end();
      this.#endsAt = now + WINDOW_MS;
    }
    const seen = this.#of(address, reason);
    const { perAddress, perSecond } = this.#limits;
    if (seen !== undefined && seen.passed < perAddress && this.#passed < perSecond) {
      seen.passed += 1;
      this.#passed += 1;
      return true;
    }
    if (seen === undefined) this.#unkept += 1;
    else seen.suppressed += 1;
    this.#timer ??= setTimeout(() => this.end(), Math.max(1, this.#endsAt - now)).unref();
    return false;
  }

  /** Tells what the window has suppressed, those with the most first, and begins anew. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const suppressed = [...this.#seen.values()].filter((one) => one.suppressed > 0);
    let others = this.#unkept;
    this.#seen = new Map();
    this.#passed = this.#unkept = 0;
    this.#endsAt = -Infinity;
    suppressed.sort((a, b) => b.suppressed - a.suppressed);
    for (const { address, reason, suppressed: count } of suppressed.slice(0, MOST_NAMED))
      this.#tell({ address, reason, count });
    for (const one of suppressed.slice(MOST_NAMED)) others += one.suppressed;
    if (others > 0) this.#tell({ address: undefined, reason: undefined, count: others });
  }

  #of(address: string, reason: string): Seen | undefined {
    const key = `${reason}\n${address}`;
    let seen = this.#seen.get(key);
    if (seen === undefined && this.#seen.size < MOST_KEPT)
      this.#seen.set(key, (seen = { address, reason, passed: 0, suppressed: 0 }));
    return seen;
  }
}

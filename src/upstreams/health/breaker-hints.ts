import { z } from 'zod';
import type { BreakerChange } from '../../policies/circuit-breaker/breaker.ts';
import type { TargetWatch } from './target-watch.ts';

/** Messages to all replicas that listen at that moment. */
export interface HintChannel {
  publish(channel: string, message: string): Promise<void>;
  /** @returns what ends it. */
  listen(channel: string, listener: (message: string) => void): () => void;
}

const CHANNEL = 'breakers';
/** Longer than any that is sent by a gateway; what else is sent there is not read. */
const MAX_CHARACTERS = 4096;

const hintSchema = z.object({
  from: z.string(),
  upstream: z.string(),
  target: z.string(),
  state: z.enum(['open', 'closed']),
  generation: z.number(),
  /** On the clock of `Date.now()` of who says it. */
  at: z.number(),
  openForMs: z.number(),
});

type Hint = z.output<typeof hintSchema>;

/** What hints are about. */
export type HintedTarget = Pick<TargetWatch, 'upstream' | 'origin' | 'breaker'>;

/**
 * Tells other replicas which breakers have opened, and hears it from them. A hint makes a breaker suspect, which opens at its
 * next failure; it never opens one: a replica that lies, or sees the network from elsewhere, takes nothing from the others.
 */
export class BreakerHints {
  readonly #instance: string;
  readonly #find: (upstream: string, origin: string) => Iterable<HintedTarget>;
  /** The latest generation of each breaker of others, for hints that overtake each other. */
  readonly #latest = new WeakMap<HintedTarget, Map<string, number>>();
  /** Of which it was told here that they have opened, and not yet that they are closed again. */
  readonly #told = new WeakSet<HintedTarget>();
  #channel: HintChannel | undefined = undefined;
  #stop: (() => void) | undefined = undefined;

  /**
   * @param instance differs from that of every other process.
   * @param find the watches of a target.
   */
  constructor(instance: string, find: (upstream: string, origin: string) => Iterable<HintedTarget>) {
    this.#instance = instance;
    this.#find = find;
  }

  /** Begins to listen; calling it again does nothing. */
  start(channel: HintChannel): void {
    if (this.#stop !== undefined) return;
    this.#channel = channel;
    this.#stop = channel.listen(CHANNEL, (message) => this.#heard(message));
  }

  /** Listens and says nothing any more. */
  stop(): void {
    this.#stop?.();
    this.#stop = this.#channel = undefined;
  }

  /**
   * Tells of a transition that a breaker came to by itself; one by hand is nobody else's matter. A target of which others have told
   * already needs nobody else to: all replicas of a dead target telling all replicas would be the square of their number.
   */
  tell(watch: HintedTarget, change: BreakerChange): void {
    const { upstream, origin, breaker } = watch;
    const { state, cause, at, openForMs = 0 } = change;
    if (this.#channel === undefined || state === 'half-open') return;
    if (cause === 'manual') return void this.#told.delete(watch);
    if (state === 'closed' ? !this.#told.delete(watch) : breaker?.isSuspect === true) return;
    if (state === 'open') this.#told.add(watch);
    const generation = breaker?.generation ?? 0;
    const hint: Hint = { from: this.#instance, upstream, target: origin, state, generation, at, openForMs };
    // Fails open: without Redis every replica goes by what it sees itself.
    this.#channel.publish(CHANNEL, JSON.stringify(hint)).catch(ignore);
  }

  #heard(message: string): void {
    const hint = message.length > MAX_CHARACTERS ? undefined : read(message);
    if (hint === undefined || hint.from === this.#instance) return;
    for (const watch of this.#find(hint.upstream, hint.target)) this.#apply(watch, hint);
  }

  #apply(watch: HintedTarget, { from, state, generation, at, openForMs }: Hint): void {
    let latest = this.#latest.get(watch);
    if (latest === undefined) this.#latest.set(watch, (latest = new Map()));
    if ((latest.get(from) ?? 0) >= generation) return;
    remember(latest, from, generation);
    if (state === 'closed') return watch.breaker?.suspect(0);
    // Clocks may differ: one that is behind makes a hint older than it is, and at worst nobody heeds it.
    const leftMs = Math.min(openForMs, at + openForMs - Date.now());
    if (leftMs > 0) watch.breaker?.suspect(leftMs);
  }
}

const MAX_INSTANCES = 1000;

function remember(latest: Map<string, number>, from: string, generation: number): void {
  latest.delete(from);
  latest.set(from, generation);
  if (latest.size <= MAX_INSTANCES) return;
  const [oldest] = latest.keys();
  latest.delete(oldest as string);
}

function read(message: string): Hint | undefined {
  try {
    return hintSchema.safeParse(JSON.parse(message)).data;
  } catch {
    return undefined;
  }
}

function ignore(): void {}

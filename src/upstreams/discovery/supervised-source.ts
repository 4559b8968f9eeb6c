import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../telemetry/logger.ts';
import type { TargetOptions } from '../target.schema.ts';
import { Backoff } from './backoff.ts';
import { MAX_ENTRIES, Unknown, type Asking, type DiscoverySource, type Known } from './discovery-source.ts';
import { HeldSet } from './held-set.ts';
import { Publisher } from './publisher.ts';
import { Wake } from './wake.ts';
import type { DiscoveryView } from './discovery-view.ts';

/** How a source is watched over. */
export interface SupervisionOptions {
  /** The upstream that it is for. */
  readonly upstream: string;
  /** What is asked, in a few words without secrets: `consul catalog`. */
  readonly what: string;
  /** See {@link HeldSet}. */
  readonly emptyGraceMs: number | undefined;
  readonly maxStaleMs: number;
  readonly firstAnswerMs: number;
  readonly logger: Logger;
  /** Hears of each failure. */
  readonly onError?: () => void;
  /** Hears of each set of targets that is another one. */
  readonly onChange?: (added: readonly string[], removed: readonly string[]) => void;
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** Hears of a whole set of targets. */
export type SetListener = (targets: readonly TargetOptions[]) => void;

/** How many times its longest question a source may be silent before it is taken to be stuck. */
const PATIENCE = 2;
/** A source that answers at once all the time is asked no more often than this. */
const LEAST_WAIT_MS = 20;
const MAX_SHOWN_REASONS = 10;

/**
 * One source of targets, asked again and again whatever happens: errors and silence lead to a wait and the next question,
 * never to an end. The last known targets stay until others are known.
 */
export class SupervisedSource {
  readonly options: SupervisionOptions;
  readonly #source: DiscoverySource;
  readonly #held: HeldSet;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<SetListener>();
  readonly #publisher: Publisher;
  readonly #ending = new AbortController();
  readonly #pause = new Wake();
  #published: readonly TargetOptions[] = [];
  #startedAt: number | undefined = undefined;
  #answeredAt: number | undefined = undefined;
  #last: Known | undefined = undefined;
  #error: { readonly message: string; readonly at: number } | undefined = undefined;
  #isFailing = false;
  #hasWarned = false;
  #errors = 0;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(source: DiscoverySource, options: SupervisionOptions) {
    this.options = options;
    this.#source = source;
    this.#held = new HeldSet(options.emptyGraceMs);
    this.#backoff = new Backoff(options.random);
    this.#publisher = new Publisher(() => this.#publish());
  }

  /** The last known targets, as they were published. */
  get targets(): readonly TargetOptions[] {
    return this.#published;
  }

  /** Whether it is asked: one that was made for a configuration that is not in force is not yet. */
  get hasStarted(): boolean {
    return this.#startedAt !== undefined;
  }

  /** Whether nothing is known yet, and readiness is to wait for it. */
  get isAwaited(): boolean {
    if (this.#answeredAt !== undefined) return false;
    return this.#startedAt === undefined || performance.now() - this.#startedAt < this.options.firstAnswerMs;
  }

  /** Begins with targets that are known from elsewhere, until there is an answer. */
  seed(targets: readonly TargetOptions[]): void {
    this.#held.seed(targets);
    this.#published = this.#held.targets;
  }

  /** Hears of every set that is another one than before. @returns what ends that. */
  subscribe(listener: SetListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Begins to ask; later calls do nothing. */
  start(): void {
    if (this.#startedAt !== undefined) return;
    this.#startedAt = performance.now();
    this.#later(this.options.firstAnswerMs);
    void this.#run();
  }

  /** Asks no more. */
  stop(): void {
    this.#ending.abort();
    clearTimeout(this.#timer);
    this.#publisher.stop();
    this.#source.close();
  }

  /** How it is, for operators. */
  describe(): DiscoveryView {
    const { upstream, what } = this.options;
    return {
      upstream,
      source: what,
      state: this.#state(),
      targets: this.#published.map(({ url, weight, labels, zone, priority }) => ({
        url,
        weight,
        labels,
        zone,
        priority,
      })),
      accepted: this.#last?.targets.length ?? 0,
      skipped: this.#last?.skipped.length ?? 0,
      skippedBecause: this.#last?.skipped.slice(0, MAX_SHOWN_REASONS) ?? [],
      ageMs: this.#answeredAt === undefined ? undefined : Math.round(performance.now() - this.#answeredAt),
      version: this.#last?.version,
      errors: this.#errors,
      lastError: this.#error && { message: this.#error.message, at: new Date(this.#error.at).toISOString() },
      held: this.#held.isHeld
        ? (this.#last?.note ?? 'the source says that there is no target; it is asked again')
        : undefined,
    };
  }

  #state(): DiscoveryView['state'] {
    if (this.#answeredAt === undefined) return this.#isFailing ? 'failing' : 'starting';
    if (this.#isFailing) return this.#isStale() ? 'stale' : 'failing';
    return this.#held.isHeld ? 'held' : 'healthy';
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      let waitMs: number;
      try {
        waitMs = this.#taken(await this.#ask());
      } catch (error) {
        if (signal.aborted) return;
        waitMs = this.#failed(error);
      }
      await this.#pause.wait(waitMs, this.#ending.signal);
    }
  }

  // What a source does with its signal is its own affair: whether it ends or not, nobody waits for it any longer.
  #ask(): Promise<Known> {
    const mostMs = this.#source.longestMs * PATIENCE;
    const doubtMs = Math.max(LEAST_WAIT_MS, this.#held.doubtMs(performance.now()));
    const ending = new AbortController();
    const { signal } = this.#ending;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
      };
      const end = (): void => {
        settle();
        ending.abort();
        reject(new Unknown('no answer in time'));
      };
      const timer = setTimeout(end, mostMs).unref();
      signal.addEventListener('abort', end, { once: true });
      this.#answer({ signal: ending.signal, withinMs: doubtMs }).then(resolve, reject).finally(settle);
    });
  }

  async #answer(asking: Asking): Promise<Known> {
    return this.#source.next(asking);
  }

  #taken(known: Known): number {
    const { targets, skipped, waitMs } = known;
    if (targets.length === 0 && skipped.length > 0)
      throw new Unknown(`none of ${skipped.length} entries can be used: ${skipped[0] ?? ''}`);
    if (targets.length > MAX_ENTRIES)
      throw new Unknown(`expected at most ${MAX_ENTRIES} targets, found ${targets.length}`);
    if (this.#ending.signal.aborted) return 0;
    const now = performance.now();
    this.#backoff.succeeded(now);
    const isFirst = this.#answeredAt === undefined;
    this.#recovered(now);
    this.#sayWhatIsSkipped(known);
    this.#last = known;
    const wasHeld = this.#held.isHeld;
    if (this.#held.take(known, now)) this.#publisher.changed();
    const note = known.note && { note: known.note };
    if (this.#held.isHeld && !wasHeld)
      this.#log('warn', 'says that there is no target; the last known ones stay', note || {});
    if (isFirst && targets.length === 0) this.#log('warn', 'says that there is no target', note || {});
    return Math.max(LEAST_WAIT_MS, Math.min(waitMs, this.#held.doubtMs(now)));
  }

  #recovered(now: number): void {
    this.#answeredAt = now;
    if (this.#isFailing) this.#log('info', 'answers again');
    this.#isFailing = false;
    this.#hasWarned = false;
    this.#later(this.options.maxStaleMs);
  }

  #failed(error: unknown): number {
    const message = error instanceof Error ? error.message : String(error);
    const isNews = !this.#isFailing || this.#error?.message !== message;
    this.#isFailing = true;
    this.#error = { message, at: Date.now() };
    this.#errors += 1;
    this.options.onError?.();
    this.#held.interrupted();
    const stay = this.#published.length > 0 ? 'the last known targets stay' : 'no target is known';
    if (isNews) this.#log('warn', `cannot be asked; ${stay}`, { reason: message });
    const afterMs = error instanceof Unknown ? error.afterMs : 0;
    return Math.max(LEAST_WAIT_MS, afterMs, this.#backoff.failed(performance.now()));
  }

  #publish(): void {
    const before = this.#published;
    const now = this.#held.targets;
    // It may have changed back before it was passed on.
    if (isDeepStrictEqual(before, now)) return;
    this.#published = now;
    const [had, has] = [new Set(before.map(({ url }) => url)), new Set(now.map(({ url }) => url))];
    const added = [...has].filter((url) => !had.has(url));
    const removed = [...had].filter((url) => !has.has(url));
    const shown = { added: added.slice(0, 20), removed: removed.slice(0, 20) };
    this.#log('info', 'the targets have changed', { targets: now.length, ...shown });
    this.options.onChange?.(added, removed);
    for (const listener of this.#listeners) listener(now);
  }

  #sayWhatIsSkipped({ skipped }: Known): void {
    if (skipped.length === 0 || skipped.length === this.#last?.skipped.length) return;
    const reasons = skipped.slice(0, MAX_SHOWN_REASONS);
    this.#log('warn', 'has entries that cannot be used', { skipped: skipped.length, reasons });
  }

  #isStale(): boolean {
    return performance.now() - (this.#answeredAt ?? -Infinity) >= this.options.maxStaleMs;
  }

  // Once the first answer is due, and then whenever the last one gets old.
  #later(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      if (this.#answeredAt === undefined)
        this.#log('warn', 'has not answered yet; nobody waits for it any longer');
      else
        this.#log('warn', 'has not answered for long; the last known targets stay', {
          ageMs: Math.round(performance.now() - this.#answeredAt),
        });
    }, afterMs).unref();
  }

  #log(level: 'info' | 'warn', message: string, more: object = {}): void {
    const { logger, upstream, what } = this.options;
    logger[level]({ upstream, discovery: what, ...more }, `discovery: ${message}`);
  }
}

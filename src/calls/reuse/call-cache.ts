import type { CacheDescription, ServedPart } from '../call.ts';
import { isUpstreamFault } from '../upstream-fault.ts';
import type { CallTime } from './call-time.ts';
import { Flights, type Run } from './flights.ts';
import { KeptValues, type Kept } from './kept-values.ts';
import type { Passage, RunOutcome } from './shared-run.ts';

/** What a cache needs besides its options. */
export interface CacheDeps<In, Out> {
  readonly name: string;
  readonly load: Run<In, Out>;
  readonly time: CallTime;
}

/**
 * Values of one call across requests. Fresh ones are served as they are; stale ones at once while one run reads
 * a new value, or when the upstream fails. Problems are never kept, and `resource-not-found` ends a kept value.
 */
export class CallCache<In, Out> {
  readonly #name: string;
  readonly #options: CacheDescription;
  readonly #time: CallTime;
  readonly #values: KeptValues<Out>;
  readonly #flights: Flights<In, Out>;

  constructor(options: CacheDescription, { name, load, time }: CacheDeps<In, Out>) {
    this.#name = name;
    this.#options = options;
    this.#time = time;
    const staleMs = Math.max(options.staleWhileRevalidateMs, options.staleIfErrorMs);
    this.#values = new KeptValues({ ...options, lifetimeMs: options.ttlMs + staleMs });
    this.#flights = new Flights(options.scope, load, (key, outcome) => this.#landed(key, outcome));
  }

  readonly run: Run<In, Out> = (input, key, passage) => {
    const kept = this.#values.get(key, this.#time.now());
    if (kept === undefined) return this.#read(input, key, passage);
    const ageMs = this.#ageOf(kept);
    const { ttlMs, staleWhileRevalidateMs } = this.#options;
    if (ageMs < ttlMs) return this.#serve(kept, passage, 'cache');
    if (ageMs >= ttlMs + staleWhileRevalidateMs) return this.#read(input, key, passage);
    this.#flights.refresh(input, key, passage);
    return this.#serve(kept, passage, 'stale');
  };

  /** Forgets all values, and what is being read. */
  clear(): void {
    this.#values.clear();
    this.#flights.clear();
  }

  #read(input: In, key: string, passage: Passage): Promise<Out> {
    return this.#flights.join(input, key, passage).then(
      (value) => {
        this.#report(passage, { source: 'upstream', ageMs: 0 });
        return value;
      },
      (error: unknown) => {
        const kept = this.#standIn(key, error, passage);
        if (kept === undefined) throw error;
        return kept.value;
      },
    );
  }

  #standIn(key: string, error: unknown, passage: Passage): Kept<Out> | undefined {
    // Nobody reads the answer of a request that has ended, so there is nothing to stand in for.
    if (passage.exchange.cancelled !== undefined || !isUpstreamFault(error)) return undefined;
    // Nothing outlives `staleIfError`, unless it may be shown even longer while a new value is read.
    const kept = this.#values.get(key, this.#time.now());
    if (kept === undefined) return undefined;
    const ageMs = this.#ageOf(kept);
    this.#report(passage, { source: 'stale', ageMs, code: error.code });
    return kept;
  }

  #landed(key: string, outcome: RunOutcome<Out>): void {
    if ('value' in outcome) this.#values.set(key, outcome.value, this.#time.now());
    // Any news but trouble means that the kept value is no longer what the upstream would say.
    else if (isNews(outcome.error)) this.#values.delete(key);
  }

  #serve(kept: Kept<Out>, passage: Passage, source: 'cache' | 'stale'): Promise<Out> {
    this.#report(passage, { source, ageMs: this.#ageOf(kept) });
    return Promise.resolve(kept.value);
  }

  #ageOf(kept: Kept<Out>): number {
    return this.#time.now() - kept.storedAt;
  }

  #report(passage: Passage, part: Pick<ServedPart, 'source' | 'ageMs' | 'code'>): void {
    const { ttlMs, scope } = this.#options;
    const freshForMs = Math.max(0, ttlMs - part.ageMs);
    passage.served?.({ call: this.#name, scope, freshForMs, ...part });
  }
}

const OURS: ReadonlySet<string> = new Set([
  'client-closed',
  'deadline-exceeded',
  'shutting-down',
  'internal',
]);

function isNews(error: unknown): boolean {
  return !isUpstreamFault(error) && !OURS.has((error as { readonly code?: string }).code ?? 'internal');
}

import { duration } from '../config/units.ts';
import type { Problem } from '../problems/problem.ts';
import type { BatchDescription, CacheDescription, CallContext, Transports } from './call.ts';

/** Who may see a value that was read for somebody: the same principal only, or everybody. */
export type Scope = 'principal' | 'public';

/** A duration as text, such as `250ms` or `2s`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h'}`;

/** How values are kept across requests, in this process. */
export interface CacheOptions {
  /** How long a value is fresh. */
  readonly ttl: Duration;
  /**
   * `principal`: nobody sees what was read for somebody else. `public`: everybody shares; the upstream is then
   * asked without the identity of the caller, so that its answer cannot depend on one.
   */
  readonly scope: Scope;
  /** How long after that it is still served at once while a new value is read. Default: not at all. */
  readonly staleWhileRevalidate?: Duration;
  /** How long after `ttl` it stands in when the upstream fails. Default: not at all. */
  readonly staleIfError?: Duration;
  /** Most values; the one that was used longest ago goes first. Default 1000. */
  readonly maxEntries?: number;
  /** Most memory for the values of this call, estimated, in bytes. Default 16 MiB. */
  readonly maxBytes?: number;
}

/** How the runs of a call that reads are merged and kept. Every option is off unless it is given. */
export interface ReuseOptions<Out> {
  /** The same call with the same input within one exchange runs once. `batch` and `each` imply it, `cache` replaces it. */
  readonly memo?: true;
  /** Equal calls in flight share one run, across exchanges: `true` among equal principals. `cache` implies it. */
  readonly share?: true | 'public';
  /** Keeps values across requests. What the upstream itself says about caching is not looked at. */
  readonly cache?: CacheOptions;
  /** For upstreams without an ids operation: most runs of one exchange at a time. */
  readonly each?: { readonly concurrency: number };
  /** Stands in when the upstream is at fault; it is reported to {@link CallContext.served}. Must not throw. */
  readonly fallback?: (problem: Problem) => NoInfer<Out>;
}

/** What one request for many ids brought; keys are ids. */
export interface BatchAnswer<Out> {
  readonly found: ReadonlyMap<string, Out>;
  /** Elements that could be told by their id but not decoded. */
  readonly faults: ReadonlyMap<string, Problem>;
  /** An element that cannot even be told by its id: it may be any of those that are missing. */
  readonly stray: Problem | undefined;
}

/** How single ids become one request. */
export interface BatchPlan<In, Out> extends BatchDescription {
  /** Calls of different groups are never merged: their requests differ by more than the id. */
  groupOf(input: In): string;
  idOf(input: In): string;
  /** Whether the id can travel together with others. */
  joins(id: string): boolean;
  load(transports: Transports, inputs: readonly In[], context: CallContext): Promise<BatchAnswer<Out>>;
}

/** The options of a call, checked. Frozen. */
export interface CallPlan<In, Out> {
  readonly memo: boolean;
  readonly share: Scope | undefined;
  readonly cache: CacheDescription | undefined;
  readonly batch: BatchPlan<In, Out> | undefined;
  readonly concurrency: number | undefined;
  /** What `resource-not-found` becomes; undefined: it stays a problem. */
  readonly missing: { readonly value: Out } | undefined;
  fallback?(problem: Problem): Out;
}

/** The parts of a plan that depend on the transport. */
export interface PlanDeps<In, Out> {
  readonly reads: boolean;
  readonly batch: BatchPlan<In, Out> | undefined;
  readonly missing: { readonly value: Out } | undefined;
}

const DEFAULT_MAX_ENTRIES = 1000;
const DEFAULT_MAX_BYTES = 16 * 2 ** 20;

/**
 * Checks the options of a call; undefined when it has none of them.
 *
 * @throws {Error} naming call and option when they make no sense. Calls are declared at module level: this is at boot.
 */
export function compilePlan<In, Out>(
  name: string,
  options: ReuseOptions<Out>,
  { reads, batch, missing }: PlanDeps<In, Out>,
): CallPlan<In, Out> | undefined {
  const { memo, share, cache, each, fallback } = options;
  const given = [memo, share, cache, each, fallback, batch].some((option) => option !== undefined);
  if (!given) return undefined;
  const check = (holds: boolean, message: string): void => {
    if (!holds) throw new Error(`the call ${name}: ${message}`);
  };
  check(reads, 'only a call that reads can be merged, kept or replaced by a fallback');
  check(batch === undefined || each === undefined, '`batch` and `each` exclude each other; keep `batch`');
  check(
    each === undefined || isCount(each.concurrency),
    '`each.concurrency`: expected a whole number above 0',
  );
  check(batch === undefined || isCount(batch.max), '`batch.max`: expected a whole number above 0');
  check(cache === undefined || memo === undefined, '`cache` serves equal calls already; leave out `memo`');
  check(
    cache === undefined || share === undefined || cache.scope === scopeOf(share),
    '`share` and `cache.scope` differ; `cache` implies `share`, so leave it out',
  );
  return Object.freeze({
    // With a cache, equal calls meet in its run in flight and then find its value. A memo around it would hide from
    // it whose time is up, and so whom an older value could help.
    memo: cache === undefined && (memo === true || batch !== undefined || each !== undefined),
    share: cache?.scope ?? scopeOf(share),
    cache: cache === undefined ? undefined : compileCache(name, cache),
    batch,
    concurrency: each?.concurrency,
    missing,
    ...(fallback === undefined ? {} : { fallback }),
  });
}

function compileCache(name: string, cache: CacheOptions): CacheDescription {
  const { scope, maxEntries = DEFAULT_MAX_ENTRIES, maxBytes = DEFAULT_MAX_BYTES } = cache;
  const time = (key: 'ttl' | 'staleWhileRevalidate' | 'staleIfError'): number => {
    const parsed = duration.safeParse(cache[key] ?? '0ms');
    if (parsed.success && (parsed.data > 0 || key !== 'ttl')) return parsed.data;
    throw new Error(
      `the call ${name}: \`cache.${key}\`: expected a duration such as 30s, got "${cache[key]}"`,
    );
  };
  if (scope !== 'principal' && scope !== 'public') {
    throw new Error(`the call ${name}: \`cache.scope\`: expected principal or public`);
  }
  if (!isCount(maxEntries) || !isCount(maxBytes)) {
    throw new Error(`the call ${name}: \`cache\`: expected whole numbers above 0 as maxEntries and maxBytes`);
  }
  return Object.freeze({
    scope,
    ttlMs: time('ttl'),
    staleWhileRevalidateMs: time('staleWhileRevalidate'),
    staleIfErrorMs: time('staleIfError'),
    maxEntries,
    maxBytes,
  });
}

function scopeOf(share: true | 'public' | undefined): Scope | undefined {
  return share === true ? 'principal' : share;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

import type { TargetOptions } from '../target.schema.ts';

/** How a source of targets is, for operators. */
export interface DiscoveryView {
  readonly upstream: string;
  /** What is asked: `consul catalog`. */
  readonly source: string;
  /**
   * `starting`: nothing is known yet. `held`: it says that there are no targets, which is not believed yet. `failing`: it
   * cannot be asked. `stale`: not for long.
   */
  readonly state: 'starting' | 'healthy' | 'held' | 'failing' | 'stale';
  /** Those in use. */
  readonly targets: readonly Omit<TargetOptions, 'serverName'>[];
  /** Entries of the last answer that are targets. */
  readonly accepted: number;
  /** Those that are none. */
  readonly skipped: number;
  /** Why, for the first of them. */
  readonly skippedBecause: readonly string[];
  /** Since the last answer; absent before the first. */
  readonly ageMs: number | undefined;
  /** How the registry counts changes, where it does. */
  readonly version: string | undefined;
  readonly errors: number;
  /** The last one, also when it is over; `at` as RFC 3339 says. */
  readonly lastError: { readonly message: string; readonly at: string } | undefined;
  /** Why the last answer is not in force. */
  readonly held: string | undefined;
}

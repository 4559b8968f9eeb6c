/**
 * Every error the gateway itself can answer with, as data. The codes are stable: they appear in problem
 * bodies, in GraphQL `extensions.code` and in the access line. `docs/errors.md` is generated from this table.
 */
export interface CatalogueEntry {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Short, stable, human-readable summary (RFC 9457 section 3.1.3). */
  readonly title: string;
  /** The stage of the walk that says no with this code. */
  readonly stage: string;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** What led to it, for `docs/errors.md`. */
  readonly cause: string;
  /** What the caller or the operator does about it, for `docs/errors.md`. */
  readonly remedy: string;
}

/** An entry of the catalogue. Not to be tried again unless it says so. */
export function entry(
  status: number,
  stage: string,
  title: string,
  prose: { cause: string; remedy: string; retryable?: boolean },
): CatalogueEntry {
  return { status, stage, title, retryable: false, ...prose };
}

import type { z } from 'zod';
import { valueAt, type ConfigPath } from './config-path.ts';
import { nearestName } from './nearest-name.ts';
import { alternativesAt, validKeysAt, type SchemaScope } from './schema-walk.ts';

/** A zod issue without its unions: one place, and what could have stood there. */
export interface Finding {
  readonly path: ConfigPath;
  /** What is wrong; more than one where each is an alternative that did not fit. */
  readonly issues: readonly z.core.$ZodIssue[];
  /** The innermost schema that is known to apply. */
  readonly scope: SchemaScope;
}

/** The issues that say "something else belongs here", as opposed to "something inside is wrong". */
const MISFITS: ReadonlySet<string> = new Set(['invalid_type', 'invalid_value', 'invalid_format']);

/** Takes issues apart: of a union the alternative that got furthest, or all of them when none got anywhere. */
export function findingsOf(
  issues: readonly z.core.$ZodIssue[],
  scope: SchemaScope,
  root: unknown,
): Finding[] {
  return issues.flatMap((issue) => {
    const path: ConfigPath = [...scope.path, ...issue.path.map(toSegment)];
    if (issue.code === 'invalid_union' && issue.errors.length > 0)
      return unionFindings(issue, path, scope, root);
    return [{ path, issues: [issue], scope }];
  });
}

/** Tells whether nothing at all stands at a place. */
export function isMissing(path: ConfigPath, root: unknown): boolean {
  return path.length > 0 && valueAt(root, path) === undefined;
}

function toSegment(segment: PropertyKey): string | number {
  return typeof segment === 'number' ? segment : String(segment);
}

function unionFindings(
  issue: z.core.$ZodIssueInvalidUnion,
  path: ConfigPath,
  scope: SchemaScope,
  root: unknown,
): Finding[] {
  const options = alternativesAt(scope, path, root, issue.errors.length);
  const branches = issue.errors.map((errors, index) =>
    findingsOf(errors, { schema: options[index], path }, root),
  );
  const entered = branches.filter((branch) => !branch.some((finding) => isMisfit(finding, path)));
  const ranked = entered.map((branch) => ({ branch, ...progress(branch, root) })).toSorted(byProgress);
  const [furthest, next] = ranked;
  if (furthest) {
    const undecided =
      next && byProgress(furthest, next) === 0 && furthest.likely === 0 && furthest.strange > 0;
    return undecided && furthest.depth === path.length + 1
      ? [nowhere(ranked, path, scope, root)]
      : furthest.branch;
  }
  const misfits = branches.flat().filter((finding) => isMisfit(finding, path));
  return [{ path, issues: misfits.flatMap((finding) => finding.issues), scope }];
}

/** No alternative is likelier than another: tells the keys of all of them, not what the first one misses. */
function nowhere(
  ranked: readonly { readonly branch: readonly Finding[] }[],
  path: ConfigPath,
  scope: SchemaScope,
  root: unknown,
): Finding {
  const unknown = ranked[0]?.branch.find((finding) => unknownKeys(finding).length > 0);
  if (unknown) return { ...unknown, path, scope };
  const message = `expected one of the keys ${validKeysAt(scope, path, root).join(', ')}`;
  return { path, issues: [{ code: 'custom', path: [], message }], scope };
}

function isMisfit({ path, issues }: Finding, place: ConfigPath): boolean {
  return path.length === place.length && issues.some((issue) => MISFITS.has(issue.code));
}

interface Progress {
  /** How deep it got before a key was missing or unknown. */
  readonly depth: number;
  /** How many keys are missing or unknown. */
  readonly strange: number;
  /** How many unknown keys look like a mistyped one of this alternative. */
  readonly likely: number;
  readonly count: number;
}

function byProgress(a: Progress, b: Progress): number {
  if (a.depth !== b.depth) return b.depth - a.depth;
  return b.likely - a.likely || a.strange - b.strange || a.count - b.count;
}

function progress(branch: readonly Finding[], root: unknown): Progress {
  let [depth, strange, likely] = [Number.POSITIVE_INFINITY, 0, 0];
  for (const finding of branch) {
    const unknown = unknownKeys(finding);
    const missing = isMissing(finding.path, root) ? 1 : 0;
    if (unknown.length + missing > 0) depth = Math.min(depth, finding.path.length + (missing ? 0 : 1));
    strange += unknown.length + missing;
    const valid = unknown.length > 0 ? validKeysAt(finding.scope, finding.path, root) : [];
    likely += unknown.filter((key) => nearestName(key, valid) !== undefined).length;
  }
  return { depth, strange, likely, count: branch.length };
}

/** The keys of a map that its schema does not have. */
export function unknownKeys({ issues }: Finding): readonly string[] {
  return issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
}

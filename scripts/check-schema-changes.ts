import { buildSchema, findBreakingChanges, findDangerousChanges } from 'graphql';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseBase, textAt, type Base } from './schema-base.ts';

const SCHEMA = 'config/schema.graphql';
const ACCEPTED = 'docs/schema-changes.md';

/** `- FIELD_REMOVED: User.age was removed. Because: …`, with a reason that is not empty. */
const ENTRY = /^- (?<change>[A-Z_]+: .+?) Because: \S.*$/;

/** A scalar of GraphQL itself that nothing uses any more; the break, if any, is where it was used. */
const UNUSED_SCALAR = 'TYPE_REMOVED: Standard scalar ';

/** What the check found. */
export interface SchemaReport {
  /** One line each, ready to print. */
  readonly lines: readonly string[];
  /** Whether there is a break that nobody has accepted. */
  readonly failed: boolean;
}

/**
 * Compares the checked-in GraphQL schema with the one that clients rely on. A break passes when `docs/schema-changes.md`
 * has gained a line for it since then.
 *
 * @param ref what to compare with; by default what `chooseBase` chooses.
 * @throws {Error} when one of the schemas cannot be read.
 */
export function checkSchemaChanges(root: string, ref?: string): SchemaReport {
  const base = chooseBase(root, SCHEMA, ref);
  if ('reason' in base) {
    const lines = [`schema changes: skipped, ${base.reason}`];
    // Whoever names a version wants it compared.
    return { lines, failed: ref !== undefined };
  }
  const before = textAt(root, base, SCHEMA);
  if (before === undefined) {
    return { lines: [`schema changes: skipped, ${base.name} has no ${SCHEMA}`], failed: false };
  }
  return report(base, before, readFileSync(join(root, SCHEMA), 'utf8'), acceptedSince(root, base));
}

function report(base: Base, before: string, after: string, accepted: ReadonlySet<string>): SchemaReport {
  const [old, current] = [buildSchema(before), buildSchema(after)];
  const breaking = findBreakingChanges(old, current)
    .map(({ type, description }) => `${type}: ${description}`)
    .filter((change) => !change.startsWith(UNUSED_SCALAR));
  const dangerous = findDangerousChanges(old, current);
  const refused = breaking.filter((change) => !accepted.has(change));
  const lines = [
    `schema changes: compared with ${base.name} (${base.commit.slice(0, 12)})`,
    ...dangerous.map(({ type, description }) => `  may surprise clients: ${type}: ${description}`),
    ...breaking.filter((change) => accepted.has(change)).map((change) => `  accepted: ${change}`),
    ...refused.map((change) => `  breaks clients: ${change}`),
  ];
  if (refused.length === 0) return { lines: [...lines, '  no break that is not accepted'], failed: false };
  const wanted = refused.map((change) => `    - ${change} Because: <why, and what clients do>`);
  const advice = `  deprecate it instead (@deprecated), or accept the break by adding to ${ACCEPTED}:`;
  return { lines: [...lines, advice, ...wanted], failed: true };
}

// An acceptance that the base has already was for an earlier change.
function acceptedSince(root: string, base: Base): ReadonlySet<string> {
  const known = new Set((textAt(root, base, ACCEPTED) ?? '').split('\n'));
  const entries = readText(join(root, ACCEPTED))
    .split('\n')
    .filter((line) => !known.has(line))
    .flatMap((line) => ENTRY.exec(line)?.groups?.['change'] ?? []);
  return new Set(entries);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

if (import.meta.main) {
  const at = process.argv.indexOf('--against');
  const { lines, failed } = checkSchemaChanges(
    join(import.meta.dirname, '..'),
    at < 0 ? undefined : (process.argv[at + 1] ?? ''),
  );
  console.log(lines.join('\n'));
  process.exitCode = failed ? 1 : 0;
}

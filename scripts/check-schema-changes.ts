import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseBase, textAt, type Base } from '../src/cli/contract/git-base.ts';
import { acceptedSince, acceptingEntry } from '../src/contracts/changes/accepted-changes.ts';
import { changeLine } from '../src/contracts/changes/contract-change.ts';
import { graphqlChanges } from '../src/contracts/changes/graphql-changes.ts';

const SCHEMA = 'config/schema.graphql';
const ACCEPTED = 'docs/schema-changes.md';

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
  return report(base, before, readFileSync(join(root, SCHEMA), 'utf8'), acceptedNow(root, base));
}

function report(base: Base, before: string, after: string, accepted: ReadonlySet<string>): SchemaReport {
  const changes = graphqlChanges(before, after);
  const [breaking, dangerous] = [true, false].map((breaks) =>
    changes.filter((one) => one.breaks === breaks).map(changeLine),
  ) as [string[], string[]];
  const refused = breaking.filter((change) => !accepted.has(change));
  const lines = [
    `schema changes: compared with ${base.name} (${base.commit.slice(0, 12)})`,
    ...dangerous.map((change) => `  may surprise clients: ${change}`),
    ...breaking.filter((change) => accepted.has(change)).map((change) => `  accepted: ${change}`),
    ...refused.map((change) => `  breaks clients: ${change}`),
  ];
  if (refused.length === 0) return { lines: [...lines, '  no break that is not accepted'], failed: false };
  const wanted = refused.map((change) => `    ${acceptingEntry(change)}`);
  const advice = `  deprecate it instead (@deprecated), or accept the break by adding to ${ACCEPTED}:`;
  return { lines: [...lines, advice, ...wanted], failed: true };
}

function acceptedNow(root: string, base: Base): ReadonlySet<string> {
  return acceptedSince(textAt(root, base, ACCEPTED) ?? '', readText(join(root, ACCEPTED)));
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

/** `- FIELD_REMOVED: User.age was removed. Because: …`, with a reason that is not empty. */
const ENTRY = /^- (?<change>[A-Z_]+: .+?) Because: \S.*$/;

/**
 * The changes that somebody has accepted in a list since another version of it: an entry that was there already was for an
 * earlier change.
 */
export function acceptedSince(before: string, after: string): ReadonlySet<string> {
  const known = new Set(before.split('\n'));
  const entries = after
    .split('\n')
    .filter((line) => !known.has(line))
    .flatMap((line) => ENTRY.exec(line)?.groups?.['change'] ?? []);
  return new Set(entries);
}

/** The entry that would accept a change, but for the reason. */
export function acceptingEntry(line: string): string {
  return `- ${line} Because: <why, and what clients do>`;
}

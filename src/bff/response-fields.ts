import { hash } from 'node:crypto';

/** Adds a member to a list field such as `Vary`, once, without a second field of that name. */
export function addToField(fields: string[], name: string, member: string): void {
  const at = fields.findIndex((field, index) => index % 2 === 0 && field === name);
  if (at < 0) fields.push(name, member);
  else if (!`, ${fields[at + 1]}, `.includes(`, ${member}, `))
    fields[at + 1] = `${fields[at + 1]}, ${member}`;
}

/** Makes the weak validator of a body (RFC 9110 section 8.8.3): equal bodies have equal ones. */
export function entityTagOf(body: unknown): string {
  return `W/"${hash('sha256', JSON.stringify(body), 'base64url').slice(0, 27)}"`;
}

/** Whether `If-None-Match` names the validator, by weak comparison (RFC 9110 section 13.1.2). */
export function matchesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = tag.slice(tag.indexOf('"'));
  return ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === opaque);
}

import { withoutBlanks } from '../exchange/blanks.ts';

/** So many members a `tracestate` may have. */
const MOST_MEMBERS = 32;
/** So many characters are passed on; every sender has to pass on that many. */
const MOST_CHARACTERS = 512;
/** Members longer than this go first. */
const LONG_MEMBER = 128;
/** The member of OpenTelemetry may have so many characters as its value. */
const LONGEST_OWN = 256;

/** W3C Trace Context Level 2, section 3.3.1.3: a key, and a value that does not end with a blank. */
const MEMBER =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const OWN = 'ot=';

/**
 * The members of a `tracestate`, `key=value`, in their order.
 *
 * @returns undefined for one that cannot be used, which is then left out as a whole: a member that is none, a key that is there
 * twice, more than 32 members (W3C Trace Context Level 2, sections 3.3.1 and 4.3).
 */
export function readTraceState(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const members: string[] = [];
  const keys = new Set<string>();
  for (const part of text.split(',')) {
    const member = withoutBlanks(part);
    if (member === '') continue;
    const key = member.slice(0, member.indexOf('='));
    if (members.length === MOST_MEMBERS || keys.has(key) || !MEMBER.test(member)) return undefined;
    keys.add(key);
    members.push(member);
  }
  return members.length === 0 ? undefined : members;
}

/**
 * The members as a header field: whole ones are left out where they are too many characters, first the long ones, then from
 * the right (section 3.3.1.5). Undefined for none.
 */
export function writeTraceState(members: readonly string[] | undefined): string | undefined {
  if (members === undefined || members.length === 0) return undefined;
  const text = members.join(',');
  return text.length <= MOST_CHARACTERS ? text : shortened(members).join(',') || undefined;
}

function shortened(members: readonly string[]): readonly string[] {
  const left = [...members];
  const isLong = (): boolean => left.join(',').length > MOST_CHARACTERS;
  for (let i = left.length - 1; i >= 0 && isLong(); i -= 1)
    if ((left[i] as string).length > LONG_MEMBER) left.splice(i, 1);
  while (isLong()) left.pop();
  return left;
}

/** A value of OpenTelemetry's own member, such as `rv`; undefined for none. */
export function ownValue(members: readonly string[] | undefined, name: string): string | undefined {
  const own = members?.find((member) => member.startsWith(OWN));
  const pair = own
    ?.slice(OWN.length)
    .split(';')
    .find((one) => one.startsWith(`${name}:`));
  return pair?.slice(name.length + 1);
}

/**
 * The members with the threshold by which a trace was sampled (`ot=th:…`), or without one where it was not sampled by share. A
 * member that is changed goes to the left, and the right-most makes room for one that is new; all others stay as they are.
 */
export function withThreshold(
  members: readonly string[] | undefined,
  threshold: string | undefined,
): readonly string[] | undefined {
  if (threshold === undefined && ownValue(members, 'th') === undefined) return members;
  const own = members?.find((member) => member.startsWith(OWN));
  const others = (members ?? []).filter((member) => member !== own);
  const kept = (own?.slice(OWN.length).split(';') ?? []).filter((pair) => !pair.startsWith('th:'));
  const pairs = threshold === undefined ? kept : [`th:${threshold}`, ...kept];
  while (pairs.join(';').length > LONGEST_OWN) pairs.pop();
  if (pairs.length === 0) return others.length === 0 ? undefined : others;
  return [`${OWN}${pairs.join(';')}`, ...others].slice(0, MOST_MEMBERS);
}

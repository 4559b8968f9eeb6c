import { hash } from 'node:crypto';
import { keyName, keyText } from './limit-key.schema.ts';
import type { RateLimitRule } from './rate-limit.policy.ts';

/** Longer keys, such as expressions, are told apart by their digest. */
const LONGEST_KEY = 64;

/** What of a rule tells whose buckets are its own. */
type Told = Pick<RateLimitRule, 'name' | 'key' | 'per' | 'rate' | 'burst'>;

/**
 * What tells the buckets of each rule of a route from those of the others, in the order of the rules: the name that a rule has, else
 * its key and its period. Where it stands in the list makes no difference, and neither do its numbers, so that buckets go on when
 * either changes. Of several rules that have all of that in common the one with the smaller numbers comes first.
 */
export function identitiesOf(rules: readonly Told[]): readonly string[] {
  const own = rules.map(identityOf);
  return rules.map((rule, index) => {
    const identity = own[index] ?? '';
    const before = rules.filter((other, at) => own[at] === identity && isBefore(other, rule, at < index));
    return before.length === 0 ? identity : `${identity}/${String(before.length)}`;
  });
}

/** What each rule of a route is called in header fields: as it says, else after its key, numbered where that is taken. */
export function namesOf(rules: readonly Pick<RateLimitRule, 'name' | 'key'>[]): readonly string[] {
  const taken = new Set(rules.flatMap(({ name }) => name ?? []));
  return rules.map(({ name: own, key }) => {
    if (own !== undefined) return own;
    const called = keyName(key);
    let name = called;
    for (let count = 2; taken.has(name); count += 1) name = `${called}-${String(count)}`;
    taken.add(name);
    return name;
  });
}

// No key begins so: none is called `name`.
function identityOf({ name, key, per }: Told): string {
  if (name !== undefined) return `name=${name}`;
  const text = keyText(key);
  const short = text.length <= LONGEST_KEY ? text : `sha256=${hash('sha256', text, 'base64url')}`;
  return `${short}/${String(per)}`;
}

function isBefore(one: Told, other: Told, standsFirst: boolean): boolean {
  const order = compare(one.rate ?? 0, other.rate ?? 0) || compare(one.burst ?? 0, other.burst ?? 0);
  if (order !== 0) return order < 0;
  const text = compare(JSON.stringify(one), JSON.stringify(other));
  return text < 0 || (text === 0 && standsFirst);
}

function compare<T extends number | string>(one: T, other: T): number {
  return one < other ? -1 : Number(one > other);
}

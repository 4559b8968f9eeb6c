import { describe, expect, it } from '@jest/globals';
import { rateLimitPolicy } from './rate-limit.policy.ts';
import { identitiesOf, namesOf } from './rule-identity.ts';

type Rules = Parameters<typeof rateLimitPolicy.schema.parse>[0];

const parse = (rules: Rules) => rateLimitPolicy.schema.parse(rules);

describe('what tells the buckets of rules apart', () => {
  it('is the key and the period, or the name, and never the place in the list', () => {
    const rules = parse([
      { key: 'ip', rate: 10, per: '1s' },
      { key: 'ip', rate: 100, per: '1m' },
      { key: ['tenant', { header: 'X-Team' }], rate: 5 },
      { name: 'daily', key: 'ip', rate: 1000, per: '1d' },
    ]);
    const identities = identitiesOf(rules);
    expect(identities).toEqual(['ip/1000', 'ip/60000', 'tenant+header=x-team/60000', 'name=daily']);
    expect(identitiesOf(rules.toReversed())).toEqual(identities.toReversed());
  });

  it('is the same under other numbers, and for rules of one key and period in any order', () => {
    expect(identitiesOf(parse({ key: 'ip', rate: 7, burst: 2 }))).toEqual(
      identitiesOf(parse({ key: 'ip', rate: 9 })),
    );
    const rules = parse([
      { key: 'ip', rate: 5 },
      { key: 'ip', rate: 5, burst: 2 },
      { key: 'ip', rate: 5, burst: 2, algorithm: 'tokenBucket', cost: 2 },
    ]);
    const identities = identitiesOf(rules);
    expect(new Set(identities).size).toBe(3);
    expect(identitiesOf(rules.toReversed())).toEqual(identities.toReversed());
  });

  it('has no more than 64 characters of a key, and tells longer ones apart', () => {
    const long = (end: string) => ({ key: { claim: `${'c'.repeat(100)}${end}` }, rate: 1 });
    const [one = '', other = ''] = identitiesOf(parse([long('a'), long('b')]));
    expect(one).not.toBe(other);
    expect(Math.max(one.length, other.length)).toBeLessThan(64);
  });
});

describe('what rules are called', () => {
  it('is as they say, and what has no name never takes the name of another', () => {
    const rules = parse([
      { key: 'ip', rate: 1, per: '1s' },
      { key: 'ip', rate: 2, per: '1m' },
      { name: 'ip', key: 'principal', rate: 3 },
    ]);
    expect(namesOf(rules)).toEqual(['ip-2', 'ip-3', 'ip']);
  });
});

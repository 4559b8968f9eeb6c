import { describe, expect, it } from '@jest/globals';
import { bucketOf } from './bucket.ts';

const SUBJECTS = 100_000;
const subjects = Array.from({ length: SUBJECTS }, (_, i) => `user:jwt:https%3A%2F%2Fid.example.com:${i}`);

describe('bucketOf', () => {
  it.each([0.01, 0.05, 0.2, 0.5])('puts a share of %d of all subjects below it', (weight) => {
    const share = subjects.filter((one) => bucketOf('rollout', one) < weight).length / SUBJECTS;
    expect(Math.abs(share - weight)).toBeLessThan(3.3 * Math.sqrt((weight * (1 - weight)) / SUBJECTS));
  });

  it('is the same for ever', () => {
    expect(bucketOf('salt', 'alice')).toBe(0.6660453681834042);
  });

  it('puts others first in another rollout', () => {
    const first = (salt: string) => new Set(subjects.filter((one) => bucketOf(salt, one) < 0.1));
    const [one, two] = [first('one'), first('two')];
    const both = [...one].filter((subject) => two.has(subject)).length / one.size;
    expect(Math.abs(both - 0.1)).toBeLessThan(0.012);
  });
});

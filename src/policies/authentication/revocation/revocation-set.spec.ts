import { describe, expect, it } from '@jest/globals';
import { digestOf, digestText, marksOf, readDigest, secondsOf } from './revocation-marks.ts';
import { RevocationSet } from './revocation-set.ts';

const DAY_MS = 86_400_000;
const BEGAN = Date.UTC(2026, 10, 27);
const ISSUER = 'https://id.test';

function timed(max = 1000): { set: RevocationSet; wait: (ms: number) => void; at: (ms: number) => number } {
  let now = BEGAN;
  const set = new RevocationSet({ max, longest: DAY_MS }, () => now);
  return { set, wait: (ms) => (now += ms), at: (ms) => Math.ceil(secondsOf(now + ms)) };
}

const token = (jti: string) => digestOf('jti', '', jti);
const caller = (more: object = {}) =>
  marksOf({ issuer: ISSUER, token: 't', session: 's', subject: 'alice', issuedAt: BEGAN / 1000, ...more });

describe('a revocation of', () => {
  it('a token holds for that token until it is over', () => {
    const { set, wait, at } = timed();
    set.add(token('t'), at(60_000));
    expect([set.revokes(caller()), set.revokes(caller({ token: 'other' }))]).toEqual([true, false]);
    wait(60_000);
    expect(set.revokes(caller())).toBe(false);
  });

  it('a session holds for the tokens of that session of that issuer', () => {
    const { set, at } = timed();
    set.add(digestOf('sid', ISSUER, 's'), at(60_000));
    expect(set.revokes(caller({ token: undefined }))).toBe(true);
    expect(set.revokes(caller({ session: 'other' }))).toBe(false);
    expect(set.revokes(caller({ issuer: 'https://other.test' }))).toBe(false);
  });

  it.each([
    ['earlier', BEGAN / 1000 - 1, true],
    ['in the second before', BEGAN / 1000 + 9.5, true],
    ['in that second', BEGAN / 1000 + 10, false],
    ['later', BEGAN / 1000 + 11, false],
    ['nobody knows when', undefined, true],
    ['before the clock of revocations began', 1, true],
  ])('a subject before a time: what was issued %s', (_when, issuedAt, isRevoked) => {
    const { set } = timed();
    set.add(digestOf('sub', ISSUER, 'alice'), -secondsOf(BEGAN + 10_000));
    expect(set.revokes(caller({ issuedAt }))).toBe(isRevoked);
    expect(set.revokes(caller({ issuedAt, subject: 'bob' }))).toBe(false);
  });

  it('nothing revokes nobody, whatever is not known of them', () => {
    const { set, at } = timed();
    set.add(token('another'), at(60_000));
    expect(set.revokes(caller({ issuedAt: undefined }))).toBe(false);
    expect(
      set.revokes(
        marksOf({
          issuer: undefined,
          token: undefined,
          session: undefined,
          subject: undefined,
          issuedAt: undefined,
        }),
      ),
    ).toBe(false);
  });

  it('the same twice holds for longer, never for less', () => {
    const { set, wait, at } = timed();
    set.add(token('t'), at(60_000));
    set.add(token('t'), at(10_000));
    wait(30_000);
    expect(set.revokes(caller())).toBe(true);
    expect(set.count()).toBe(1);
  });
});

describe('the memory of revocations', () => {
  it('finds each of many while it grows, and nothing else', () => {
    const { set, at } = timed(200_000);
    let lost = 0;
    for (let i = 0; i < 50_000; i += 1) {
      if (!set.add(token(`t${i}`), at(60_000))) lost += 1;
      // Also while some have moved and some have not.
      if (set.find(token(`t${i >> 1}`)) === 0) lost += 1;
    }
    for (let i = 0; i < 50_000; i += 1) if (set.find(token(`t${i}`)) === 0) lost += 1;
    expect(lost).toBe(0);
    expect(set.find(token('t50000'))).toBe(0);
    expect(set.count()).toBe(50_000);
    set.move(Infinity);
    expect(set.bytes).toBe(131_072 * 16);
  });

  it('is used again for what comes after what is over', () => {
    const { set, wait, at } = timed(10_000);
    let refused = 0;
    for (let day = 0; day < 20; day += 1) {
      for (let i = 0; i < 5000; i += 1) if (!set.add(token(`${day}-${i}`), at(60_000))) refused += 1;
      wait(61_000);
    }
    expect(refused).toBe(0);
    set.move(Infinity);
    expect(set.count()).toBe(0);
    expect(set.bytes).toBeLessThanOrEqual(16_384 * 16);
  });

  it('takes as many as it may and says of one more that there is no room', () => {
    const { set, wait, at } = timed(1500);
    const added = Array.from({ length: 2000 }, (_, i) => set.add(token(`t${i}`), at(60_000)));
    expect(added.indexOf(false)).toBe(1500);
    expect(set.add(token('t7'), at(90_000))).toBe(true);
    expect(set.count()).toBe(1500);
    wait(60_000);
    expect(set.add(token('t1999'), at(60_000))).toBe(true);
    expect(set.revokes(caller({ token: 't7' }))).toBe(true);
  });

  it('is told in parts, all of it', () => {
    const { set, at } = timed(10_000);
    for (let i = 0; i < 3000; i += 1) set.add(token(`t${i}`), at(60_000));
    const told = new Set<string>();
    let from: number | undefined = 0;
    while (from !== undefined) from = set.some(from, 500, (digest) => told.add(digestText(digest)));
    expect(told.size).toBe(3000);
  });
});

describe('a digest', () => {
  it('is written and read', () => {
    const digest = digestOf('sub', ISSUER, 'alice');
    expect(digestText(digest)).toHaveLength(16);
    expect(readDigest(digestText(digest))).toEqual(digest);
    expect([readDigest(''), readDigest('short'), readDigest('x'.repeat(20))]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('cannot be made that of another kind or issuer by what is in a name', () => {
    const of = [
      digestOf('jti', '', 'a\nb'), digestOf('sid', '', 'a\nb'), digestOf('sid', 'a', 'b'), digestOf('sub', 'a', 'b'),
      digestOf('sid', 'a\nb', 'c'), digestOf('sid', 'a', 'b\nc'),
    ].map(digestText); // prettier-ignore
    expect(new Set(of).size).toBe(of.length);
  });
});

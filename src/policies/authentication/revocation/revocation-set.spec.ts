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
    expect(set.count().held).toBe(1);
  });
});

/** Facts about one name, as replicas hear of them. */
type Heard = readonly [ms: number, stamp: number];

function* orders<T>(facts: readonly T[]): Generator<readonly T[]> {
  if (facts.length === 0) yield [];
  for (const [i, fact] of facts.entries())
    for (const rest of orders(facts.filter((_, at) => at !== i))) yield [fact, ...rest];
}

describe('a revocation that is taken back', () => {
  const revoked: Heard = [60_000, 10];
  const undone: Heard = [0, -11];
  it.each<[string, readonly Heard[], boolean]>([
    ['is none', [revoked, undone], false],
    ['is none however often it is told', [revoked, undone, revoked, [50_000, 9]], false],
    ['is none if it has no stamp', [[60_000, 0], [1, -1]], false],
    ['is one if it is ordered again', [revoked, undone, [60_000, 12]], true],
    ['is one if it is ordered again at the same time', [revoked, undone, [60_000, 11]], true],
    ['is none if it is taken back again', [revoked, undone, [60_000, 12], [0, -13]], false],
    ['is one if somebody has taken back an earlier one', [revoked, [60_000, 20], undone], true],
  ])('%s, in whatever order it is heard', (_what, facts, isRevoked) => {
    for (const heard of orders(facts)) {
      const { set, at } = timed();
      for (const [ms, stamp] of heard) set.add(token('t'), at(ms), stamp);
      expect([heard, set.revokes(caller()), set.holds(token('t'))]).toEqual([heard, isRevoked, isRevoked]);
    }
  }); // prettier-ignore

  it('of a subject lets in what was issued before', () => {
    const { set, at } = timed();
    const alice = digestOf('sub', ISSUER, 'alice');
    set.add(alice, -secondsOf(BEGAN + 10_000), 10);
    set.add(alice, at(0), -11);
    expect([set.revokes(caller()), set.find(alice), set.stampOf(alice)]).toEqual([false, 0, -11]);
    expect(set.count()).toEqual({ held: 0, undone: 1 });
  });

  it('is remembered for longer than a revocation can hold, and then makes room', () => {
    const { set, wait, at } = timed(1);
    set.add(token('t'), at(DAY_MS), 10);
    set.add(token('t'), at(0), -11);
    wait(DAY_MS + 120_000);
    expect(set.add(token('other'), at(60_000), 20)).toBe(false);
    set.add(token('t'), at(-1), 10);
    expect(set.stampOf(token('t'))).toBe(-11);
    wait(120_000);
    expect(set.add(token('other'), at(60_000), 20)).toBe(true);
  });

  it('stays so while the memory grows', () => {
    const { set, at } = timed(200_000);
    const isOdd = (i: number): boolean => i % 2 === 1;
    let wrong = 0;
    for (let i = 0; i < 20_000; i += 1) {
      set.add(token(`t${i}`), at(60_000), 10);
      if (isOdd(i >> 1)) set.add(token(`t${i >> 1}`), at(0), -11);
      if (isOdd(i >> 1) === set.holds(token(`t${i >> 1}`))) wrong += 1;
    }
    for (let i = 0; i < 10_000; i += 1) if (isOdd(i) === set.holds(token(`t${i}`))) wrong += 1;
    expect(wrong).toBe(0);
    expect(set.count()).toEqual({ held: 15_000, undone: 5000 });
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
    expect(set.count().held).toBe(50_000);
    set.move(Infinity);
    expect(set.bytes).toBe(131_072 * 21);
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
    expect(set.count().held).toBe(0);
    expect(set.bytes).toBeLessThanOrEqual(16_384 * 20);
  });

  it('takes as many as it may and says of one more that there is no room', () => {
    const { set, wait, at } = timed(1500);
    const added = Array.from({ length: 2000 }, (_, i) => set.add(token(`t${i}`), at(60_000)));
    expect(added.indexOf(false)).toBe(1500);
    expect(set.add(token('t7'), at(90_000))).toBe(true);
    expect(set.count().held).toBe(1500);
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

import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { TokenEntry } from './access-file.ts';
import { digestOf, TokenCheck } from './token-check.ts';

const token = (): string => randomBytes(32).toString('base64url');
const entry = (of: string, more: Partial<TokenEntry> = {}): TokenEntry => ({
  name: 'ada',
  role: 'read',
  sha256: digestOf(of).toString('hex'),
  ...more,
});
const reasonOf = (verdict: object): unknown =>
  'refusal' in verdict ? (verdict.refusal as { reason: string }).reason : 'in';

function checkOf(entries: readonly TokenEntry[]) {
  let now = 1_000_000;
  const check = new TokenCheck(() => now);
  return {
    ask: (one: unknown, address = '192.0.2.1') => reasonOf(check.check(one, address, entries)),
    guess: (times: number, address = '192.0.2.1') => {
      for (let at = 0; at < times; at += 1) check.check('x'.repeat(43), address, entries);
    },
    wait: (ms: number) => void (now += ms),
  };
}

describe('a check of tokens', () => {
  it('takes no text but the whole token', () => {
    const [short, long] = ['s'.repeat(42), 'l'.repeat(513)];
    const good = token();
    const { ask } = checkOf([entry(good), entry(short), entry(long)]);
    expect([good, ` ${good}`, good.toUpperCase(), short, long, undefined, 7, [good]].map((one) => ask(one))).toEqual(
      ['in', ...Array<string>(7).fill('unknown-token')],
    ); // prettier-ignore
  });

  it('looks at none of an address that guesses, but those that were good there before', () => {
    const [before, after] = [token(), token()];
    const { ask, guess, wait } = checkOf([entry(before), entry(after, { name: 'bob' })]);
    expect(ask(before)).toBe('in');
    guess(10);
    expect([ask(before), ask(after), ask(token())]).toEqual(['in', 'damped', 'damped']);
    expect(ask(after, '192.0.2.2')).toBe('in');
    wait(30_000);
    expect(ask(after)).toBe('in');
  });

  it('takes one that has expired for no guess', () => {
    const ended = token();
    const { ask, guess } = checkOf([entry(ended, { expires: 1_000_000 })]);
    for (let at = 0; at < 30; at += 1) expect(ask(ended)).toBe('expired');
    guess(9);
    expect(ask(ended)).toBe('expired');
  });

  it('counts all of a network of IPv6 as one', () => {
    const good = token();
    const { ask, guess } = checkOf([entry(good)]);
    guess(10, '2001:db8::1');
    expect([ask(good, '2001:db8::2'), ask(good, '2001:db8:0:1::1')]).toEqual(['damped', 'in']);
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import type { SigningKey } from './signing-key.ts';
import { TokenCache } from './token-cache.ts';
import { principalOf } from './token-principal.ts';

const names = {
  roles: ['roles'],
  permissions: ['permissions'],
  email: 'email',
  tenant: 'tenant',
  tier: 'tier',
};
const alice = principalOf({ sub: 'alice' }, names);

describe('TokenCache', () => {
  let now = 0;
  let key: SigningKey;

  beforeEach(() => {
    now = 1_000_000;
    const object = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    key = { kid: 'a', object, algorithms: ['ES256'], thumbprint: 'a', withdrawn: false };
  });

  const cacheOf = (ttl: number, max = 10) => new TokenCache({ ttl, max }, () => now);

  it('returns the very principal that was verified', () => {
    const cache = cacheOf(60_000);
    cache.set('token', alice, key, now + 600_000);
    expect(cache.get('token')).toBe(alice);
    expect(cache.get('other')).toBeUndefined();
  });

  it('forgets a token at its expiry, to the millisecond', () => {
    const cache = cacheOf(60_000);
    const expiresAt = now + 1000;
    cache.set('token', alice, key, expiresAt);
    now = expiresAt - 1;
    expect(cache.get('token')).toBe(alice);
    now = expiresAt;
    expect(cache.get('token')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('forgets a long-lived token after the ttl', () => {
    const cache = cacheOf(60_000);
    cache.set('token', alice, key, now + 600_000);
    now += 60_000;
    expect(cache.get('token')).toBeUndefined();
  });

  it('forgets a token as soon as its key is withdrawn', () => {
    const cache = cacheOf(60_000);
    cache.set('token', alice, key, now + 600_000);
    key.withdrawn = true;
    expect(cache.get('token')).toBeUndefined();
  });

  it('tells tokens apart that end alike, however often they come', () => {
    const cache = cacheOf(60_000);
    const bob = principalOf({ sub: 'bob' }, names);
    cache.set('alice.body.same', alice, key, now + 600_000);
    cache.set('bobby.body.same', bob, key, now + 600_000);
    for (let i = 0; i < 3; i += 1) {
      expect(cache.get('alice.body.same')).toBe(alice);
      expect(cache.get('bobby.body.same')).toBe(bob);
      expect(cache.get('carol.body.same')).toBeUndefined();
    }
  });

  it.each<[string, (of: { until: () => void; withdraw: () => void }) => void]>([
    ['its time is up', ({ until }) => until()],
    ['its key is withdrawn', ({ withdraw }) => withdraw()],
  ])('forgets a token that has just been used when %s', (_, end) => {
    const cache = cacheOf(60_000);
    cache.set('token', alice, key, now + 600_000);
    expect([cache.get('token'), cache.get('token')]).toEqual([alice, alice]);
    end({ until: () => (now += 60_000), withdraw: () => (key.withdrawn = true) });
    expect([cache.get('token'), cache.get('token')]).toEqual([undefined, undefined]);
  });

  it('keeps nothing that has expired, and nothing at all without a ttl', () => {
    const expired = cacheOf(60_000);
    expired.set('token', alice, key, now);
    const switchedOff = cacheOf(0);
    switchedOff.set('token', alice, key, now + 600_000);
    expect([expired.size, switchedOff.size]).toEqual([0, 0]);
  });

  it('stays within its bound', () => {
    const cache = cacheOf(60_000, 100);
    for (let i = 0; i < 10_000; i += 1) cache.set(`token-${String(i)}`, alice, key, now + 600_000);
    expect(cache.size).toBe(100);
    expect(cache.get('token-9999')).toBe(alice);
  });
});

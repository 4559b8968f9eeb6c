import { describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { createPrincipal } from '../../../test/support/exchange.ts';
import { FixedKeys, type KeyRing } from '../../signing/key-ring.ts';
import { generatedKey } from '../../signing/signing-key.ts';
import { upstreamSchema } from '../upstream.schema.ts';
import { upstreamIdentitySchema, type TokenOptions } from './identity.schema.ts';
import { IdentityTokens } from './identity-token.ts';
import { loadIdentities, type IdentityMaking } from './load-identities.ts';

const START = 1_800_000_000_000;

function ringOf(): FixedKeys {
  const key = generatedKey('EdDSA');
  return new FixedKeys(key, [key.published]);
}

describe('a token of a caller', () => {
  const options = upstreamIdentitySchema.parse({ token: { lifetime: '60s' } }).token as TokenOptions;
  const principal = createPrincipal('alice');

  it('is used for two thirds of its life, and signed anew after that', () => {
    let now = START;
    const tokens = new IdentityTokens(options, {
      upstream: 'a',
      issuer: 'b',
      ring: ringOf(),
      clock: () => now,
    });
    const first = tokens.tokenFor(principal);
    now = START + 39_999;
    expect(tokens.tokenFor(principal)).toBe(first);
    now = START + 40_000;
    const second = tokens.tokenFor(principal);
    expect(second).not.toBe(first);
    expect(decodeJwt(String(second)).exp).toBe(START / 1000 + 100);
  });

  it('is signed anew as soon as another key signs, and is none without a key', () => {
    const rings: (FixedKeys | undefined)[] = [ringOf(), ringOf()];
    let at = 0;
    const ring = { current: () => rings[at]?.current() } as unknown as KeyRing;
    const tokens = new IdentityTokens(options, { upstream: 'a', issuer: 'b', ring, clock: () => START });
    const first = tokens.tokenFor(principal);
    at = 1;
    const second = tokens.tokenFor(principal);
    expect(String(second).split('.')[0]).not.toBe(String(first).split('.')[0]);
    at = 2;
    expect(tokens.tokenFor(principal)).toBeUndefined();
    expect(tokens.isReady).toBe(false);
  });
});

describe('the identity of an upstream', () => {
  const making: IdentityMaking = {
    folder: '.',
    signing: { issuer: 'gatehouse', ring: ringOf() },
    saysSigning: true,
    rotateMs: 600_000,
    issuers: ['https://one.example'],
    tokenOf: () => undefined,
    environment: { SECRET: 's' },
  };
  const exchange = { url: 'https://one.example/token', clientId: 'a', clientSecretEnv: 'SECRET' };
  const { clientSecretEnv: _, ...bare } = exchange;

  it.each<[string, object, Partial<IdentityMaking>, string, string]>([
    ['a token nobody signs', { token: true }, { saysSigning: false, signing: undefined }, 'token', 'signing'],
    [
      'a token that outlives its key',
      { token: { lifetime: '10m' } },
      { rotateMs: 599_999 },
      'token.lifetime',
      'rotate',
    ],
    ['a secret that is not set', { exchange }, { environment: {} }, 'exchange.clientSecretEnv', 'SECRET'],
    [
      'a file that there is not',
      { exchange: { ...bare, privateKeyFile: 'no.pem' } },
      {},
      'exchange.privateKeyFile',
      'no.pem (ENOENT)',
    ],
    [
      'a secret in a file that there is not',
      { exchange: { ...bare, clientSecretFile: '/no.secret' } },
      {},
      'exchange.clientSecretFile',
      'cannot read /no.secret (ENOENT)',
    ],
    [
      'one of several issuers',
      { exchange },
      { issuers: ['https://one.example', 'https://two.example'] },
      'exchange',
      'issuer',
    ],
    ['no issuer at all', { exchange }, { issuers: [] }, 'exchange', 'issuer'],
    [
      'a strange issuer',
      { exchange: { ...exchange, issuer: 'https://three.example' } },
      {},
      'exchange.issuer',
      'issuers',
    ],
  ])('is refused with %s', (_what, identity, more, key, message) => {
    const upstream = upstreamSchema.parse({ targets: ['http://127.0.0.1:1'], identity });
    const { faults, upstreams } = loadIdentities({ one: upstream }, { ...making, ...more });
    expect(upstreams.size).toBe(0);
    expect(faults).toEqual([
      {
        path: ['upstreams', 'one', 'identity', ...key.split('.')],
        message: expect.stringContaining(message),
      },
    ]);
  });

  it('is the same as long as it says the same, and another one with another key or secret', () => {
    const upstream = upstreamSchema.parse({
      targets: ['http://127.0.0.1:1'],
      identity: { token: true, exchange },
    });
    const digest = (more: Partial<IdentityMaking> = {}) =>
      loadIdentities({ one: upstream }, { ...making, ...more }).upstreams.get('one')?.digest;
    expect(digest()).toBe(digest());
    expect(digest({ signing: { issuer: 'gatehouse', ring: ringOf() } })).not.toBe(digest());
    expect(digest({ environment: { SECRET: 'other' } })).not.toBe(digest());
  });

  it.each([
    [{ exchange, authorization: 'forward' }, 'authorization'],
    [{ exchange: { ...exchange, privateKeyFile: 'a' } }, 'privateKeyFile'],
    [{ exchange: bare }, 'clientSecretEnv'],
    [{ token: { lifetime: '9s' } }, '10s and 10m'],
    [{ token: { lifetime: '601s' } }, '10s and 10m'],
    [{ headers: ['X-Other'] }, 'x-user-id'],
    ...[
      'authorization',
      'cookie',
      'host',
      'content-type',
      'x-user-id',
      'x-forwarded-for',
      'x-request-id',
      'sec-a',
    ].map((header) => [{ token: { header } }, 'of its own'] as const),
  ])('is refused as %j', (identity, message) => {
    expect(upstreamIdentitySchema.safeParse(identity).error?.message).toContain(message);
  });
});

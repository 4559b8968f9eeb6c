import { describe, expect, it } from '@jest/globals';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { z } from 'zod';
import { identitySchema } from './identity.schema.ts';

const issuer = { issuer: 'https://id.example.com/', jwks: 'https://id.example.com/jwks', audiences: ['api'] };
const key = { sha256: createHash('sha256').update('k').digest('hex'), clientId: 'mobile' };

function faultsOf(section: unknown): readonly string[] {
  const result = identitySchema.safeParse(section);
  return result.success ? [] : result.error.issues.map((one) => `${one.path.join('.')}: ${one.message}`);
}

function faultsOfIssuer(change: Record<string, unknown>): readonly string[] {
  return faultsOf({ issuers: [{ ...issuer, ...change }] });
}

describe('identitySchema', () => {
  it('fills in every default', () => {
    const { issuers, tokenCache, apiKeys } = identitySchema.parse({ issuers: [issuer], apiKeys: [key] });
    expect(issuers[0]).toMatchObject({
      algorithms: ['RS256', 'ES256'],
      claims: {
        roles: ['roles'],
        permissions: ['permissions'],
        email: 'email',
        tenant: 'tenant',
        tier: 'tier',
      },
      clockSkew: 5000,
      jwksRefresh: 300_000,
      jwksCooldown: 10_000,
    });
    expect(tokenCache).toEqual({ ttl: 300_000, max: 10_000 });
    expect(apiKeys[0]).toMatchObject({ roles: [], permissions: [], enabled: true });
  });

  it('takes an empty section', () => {
    expect(identitySchema.parse({})).toMatchObject({ issuers: [], apiKeys: [] });
  });

  it('accepts HS256 and nothing else by default for a shared secret', () => {
    const parsed = identitySchema.parse({
      issuers: [{ issuer: 'x', secretEnv: 'JWT_SECRET', audiences: ['api'] }],
    });
    expect(parsed.issuers[0]?.algorithms).toEqual(['HS256']);
  });

  it('wants exactly one source of keys', () => {
    expect(faultsOfIssuer({ jwksFile: 'keys.json' })).toEqual([
      'issuers.0.jwksFile: expected exactly one of jwks, jwksFile, discovery, publicKey, secretEnv, secretFile',
    ]);
    expect(faultsOf({ issuers: [{ issuer: 'x', audiences: ['api'] }] })).toEqual([
      'issuers.0: expected exactly one of jwks, jwksFile, discovery, publicKey, secretEnv, secretFile',
    ]);
  });

  it('refuses HS* with public keys and RS* with a secret', () => {
    expect(faultsOfIssuer({ algorithms: ['RS256', 'HS256'] })).toEqual([
      'issuers.0.algorithms.1: HS256 needs secretEnv or secretFile',
    ]);
    expect(faultsOfIssuer({ jwks: undefined, secretEnv: 'JWT_SECRET', algorithms: ['RS256'] })).toEqual([
      'issuers.0.algorithms.0: RS256 does not go with secretEnv',
    ]);
    expect(faultsOfIssuer({ jwks: undefined, secretFile: 'a', algorithms: ['RS256'] })).toEqual([
      'issuers.0.algorithms.0: RS256 does not go with secretFile',
    ]);
    expect(faultsOfIssuer({ jwks: undefined, secretFile: 'a', secretEnv: 'A' })).toEqual([
      'issuers.0.secretFile: expected exactly one of jwks, jwksFile, discovery, publicKey, secretEnv, secretFile',
    ]);
  });

  it.each([
    ['the algorithm none', { algorithms: ['none'] }, 'issuers.0.algorithms.0'],
    [
      'a secret in the place of a variable name',
      { jwks: undefined, secretEnv: 's3cr3t!' },
      'issuers.0.secretEnv',
    ],
    ['no audience', { audiences: [] }, 'issuers.0.audiences'],
    ['a key set over another protocol', { jwks: 'ftp://id.example.com/jwks' }, 'issuers.0.jwks'],
    ['a number as a duration', { clockSkew: 5 }, 'issuers.0.clockSkew'],
    ['a skew of an hour', { clockSkew: '1h' }, 'issuers.0.clockSkew'],
    ['no cooldown', { jwksCooldown: '0s' }, 'issuers.0.jwksCooldown'],
    ['text that is no key', { jwks: undefined, publicKey: 'abc' }, 'issuers.0.publicKey'],
    ['an unknown key', { jwskUrl: 'x' }, 'issuers.0'],
  ])('refuses %s', (_what, change, place) => {
    expect(faultsOfIssuer(change).map((fault) => fault.split(': ')[0])).toContain(place);
  });

  it('takes a public key and refuses the private one', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const secret = privateKey.export({ type: 'pkcs8', format: 'pem' });
    expect(faultsOfIssuer({ jwks: undefined, publicKey: pem })).toEqual([]);
    expect(faultsOfIssuer({ jwks: undefined, publicKey: secret })).toHaveLength(1);
  });

  it('refuses an API key in clear, a key twice and an issuer twice', () => {
    expect(faultsOf({ apiKeys: [{ sha256: 'gh_live_abc', clientId: 'x' }] })[0]).toMatch(
      /never the key itself/,
    );
    expect(faultsOf({ apiKeys: [key, key] })).toEqual(['apiKeys.1.sha256: is listed twice']);
    expect(faultsOf({ issuers: [issuer, issuer] })).toEqual(['issuers.1.issuer: is listed twice']);
  });

  it('describes every key for editors', () => {
    const schema = z.toJSONSchema(identitySchema, { io: 'input', unrepresentable: 'any' });
    expect(withoutDescription(schema, 'identity')).toEqual([]);
  });
});

function withoutDescription(schema: unknown, place: string): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties, items } = schema as { properties?: Record<string, object>; items?: object };
  const members = Object.entries(properties ?? {});
  return [
    ...members.filter(([, one]) => !('description' in one)).map(([name]) => `${place}.${name}`),
    ...members.flatMap(([name, one]) => withoutDescription(one, `${place}.${name}`)),
    ...withoutDescription(items, `${place}[]`),
  ];
}

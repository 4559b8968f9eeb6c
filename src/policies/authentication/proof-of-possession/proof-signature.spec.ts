import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, CompactSign, exportJWK, generateKeyPair } from 'jose';
import { PROOF_ALGORITHMS } from './dpop.schema.ts';
import { ProofSignatures, thumbprintOf, type ProofAlgorithm } from './proof-signature.ts';

const made = await Promise.all(
  PROOF_ALGORITHMS.filter((alg) => alg !== 'EdDSA').map(async (alg) => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)) };
    const sign = (header: string): Promise<string> =>
      new CompactSign(Buffer.from('{"a":1}')).setProtectedHeader({ alg: header }).sign(privateKey);
    return { alg, jwk, text: await sign(alg), thumbprint: await calculateJwkThumbprint(jwk) };
  }),
);

describe('the signature of a proof', () => {
  const signatures = new ProofSignatures();

  it.each(made)(
    'holds by $alg, as a library makes it, and by no other algorithm',
    ({ alg, jwk, text, thumbprint }) => {
      expect(thumbprintOf(jwk)).toBe(thumbprint);
      const holding = PROOF_ALGORITHMS.filter((one) => signatures.holds(text, one, jwk, thumbprint));
      expect(holding).toEqual(alg === 'Ed25519' ? ['EdDSA', 'Ed25519'] : [alg]);
    },
  );

  it.each(made)(
    'of $alg does not hold for another text, another key or half of it',
    ({ alg, jwk, text, thumbprint }) => {
      const [head = '', , signature = ''] = text.split('.');
      const other = made.find((one) => one.jwk.kty === jwk.kty && one.jwk.crv === jwk.crv && one.alg !== alg);
      for (const bad of [
        `${head}.eyJhIjoyfQ.${signature}`,
        text.slice(0, -8),
        `${text}AAAA`,
        `${head}.eyJhIjoxfQ.`,
        `${head}.eyJhIjoxfQ.${Buffer.alloc(64).toString('base64url')}`,
      ])
        expect(signatures.holds(bad, alg, jwk, thumbprint)).toBe(false);
      if (other !== undefined) expect(signatures.holds(text, alg, other.jwk, other.thumbprint)).toBe(false);
    },
  );

  it.each<[object]>([
    [{}],
    [{ kty: 'oct', k: 'AAAA' }],
    [{ kty: 'EC', crv: 'P-256', x: 'AAAA' }],
    [{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 1 }],
    [{ kty: 'RSA', n: ['a'], e: 'AQAB' }],
  ])('has no key in %j', (jwk) => {
    expect(thumbprintOf(jwk as Record<string, unknown>)).toBeUndefined();
  });

  it.each<[ProofAlgorithm, object]>([
    ['ES256', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }],
    [
      'ES256',
      {
        kty: 'EC',
        crv: 'P-256',
        x: Buffer.alloc(32).toString('base64url'),
        y: Buffer.alloc(32).toString('base64url'),
      },
    ],
    ['Ed25519', { kty: 'OKP', crv: 'Ed25519', x: '' }],
    ['RS256', { kty: 'RSA', n: '', e: 'AQAB' }],
  ])('does not hold by a key of %s that is none: %j', (alg, given) => {
    const jwk = given as Record<string, unknown>;
    expect(new ProofSignatures().holds(made[0]?.text ?? '', alg, jwk, thumbprintOf(jwk) ?? '')).toBe(false);
  });
});

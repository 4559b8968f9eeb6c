import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';

/** Where the gateway publishes its keys, what it calls itself, and what it calls this service. */
export interface Trust {
  readonly jwks: string;
  readonly issuer: string;
  readonly service: string;
}

/** Makes what checks the tokens of X-Gatehouse-Identity; it throws for all that the gateway has not signed for this service. */
export function identityVerifier({ jwks, issuer, service }: Trust) {
  // Keys are kept as long as the gateway allows, and an unknown one is looked for at most once in 5 s.
  const keys = createRemoteJWKSet(new URL(jwks), { cooldownDuration: 5000 });
  return async (token: string | string[] | undefined): Promise<JWTPayload> => {
    if (typeof token !== 'string') throw new Error('expected one identity token');
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: service,
      typ: 'gatehouse-identity+jwt',
      algorithms: ['ES256', 'EdDSA'],
      requiredClaims: ['iat', 'exp'],
      clockTolerance: 5,
    });
    return payload;
  };
}

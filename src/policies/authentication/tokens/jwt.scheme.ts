import { resolve } from 'node:path';
import { readSecret } from '../../../config/secrets.ts';
import { eachOf, IdentityFault, secretAt } from '../identity-fault.ts';
import type { IdentityOptions, IssuerOptions } from '../identity.schema.ts';
import type { IdentityNeeds, Scheme, SchemeContext } from '../scheme.ts';
import { BearerVerifier } from './bearer.verifier.ts';
import { jwksFromDiscovery } from './discovery-document.ts';
import { jwksFromFile, jwksFromUrl, type JwksLoader } from './jwks-document.ts';
import { Jwks } from './jwks.ts';
import { JwtVerifier } from './jwt.verifier.ts';
import { FixedKey, type KeySource } from './signing-key.ts';

/** Signed tokens of the configured issuers. */
export const jwtScheme: Scheme = {
  name: 'jwt',
  checkedAgainst: 'identity.issuers',
  create: (options, context) => new BearerVerifier(jwtVerifierOf(options, context), options),
};

/** Who verifies signed tokens of an `identity:` section, wherever they come from. @throws {IdentityFault} as {@link jwtScheme}. */
export function jwtVerifierOf(options: IdentityOptions, context: SchemeContext): JwtVerifier {
  const keysOf = (issuer: IssuerOptions): KeySource => {
    const { issuer: name, jwks, jwksFile, discovery, jwksRefresh, jwksCooldown } = issuer;
    if (jwks === undefined && jwksFile === undefined && discovery === undefined)
      return keySourceOf(issuer, options, context);
    // What was fetched stays known over a reload of the same issuer.
    const same = JSON.stringify([name, jwks, jwksFile, discovery, jwksRefresh, jwksCooldown]);
    return context.kept(`jwt ${same}`, () => keySourceOf(issuer, options, context));
  };
  const keys = new Map<IssuerOptions, KeySource>();
  eachOf(options.issuers.map((issuer) => () => keys.set(issuer, keysOf(issuer))));
  return new JwtVerifier(options, (issuer) => keys.get(issuer) as KeySource, context.clock);
}

function keySourceOf(issuer: IssuerOptions, { issuers }: IdentityOptions, needs: IdentityNeeds): KeySource {
  const place = { issuer, index: issuers.indexOf(issuer) };
  if (issuer.publicKey !== undefined) return checked(FixedKey.ofPem(issuer.publicKey), place, 'publicKey');
  const { secretEnv: variable, secretFile } = issuer;
  if (variable !== undefined || secretFile !== undefined) {
    const key = secretFile === undefined ? 'secretEnv' : 'secretFile';
    const from = { variable, file: secretFile, environment: needs.environment };
    const secret = secretAt(['issuers', place.index, key], () => readSecret(from));
    return checked(FixedKey.ofSecret(secret), place, key);
  }
  // Absolute, so that the log tells whoever started the gateway elsewhere which file was meant.
  const file = issuer.jwksFile === undefined ? undefined : resolve(issuer.jwksFile);
  return new Jwks({
    issuer: issuer.issuer,
    load: loaderOf(issuer, file),
    ...(file === undefined ? {} : { file }),
    refreshMs: issuer.jwksRefresh,
    cooldownMs: issuer.jwksCooldown,
    ...(needs.clock === undefined ? {} : { clock: needs.clock }),
  });
}

function loaderOf({ issuer, jwks, discovery }: IssuerOptions, file: string | undefined): JwksLoader {
  if (file !== undefined) return jwksFromFile(file);
  return discovery === true ? jwksFromDiscovery(issuer) : jwksFromUrl(jwks ?? '');
}

type KeyMember = 'secretEnv' | 'secretFile' | 'publicKey';

interface IssuerPlace {
  readonly issuer: IssuerOptions;
  readonly index: number;
}

/** A fixed key that fits none of the accepted algorithms could never verify anything. */
function checked(key: FixedKey, place: IssuerPlace, member: KeyMember): FixedKey {
  const { algorithms } = place.issuer;
  if (algorithms.some((algorithm) => key.algorithms.includes(algorithm))) return key;
  const fits =
    key.algorithms.length === 0 ? 'is too weak for any algorithm' : `fits ${key.algorithms.join(', ')}`;
  throw fault(place, member, `the key ${fits}; accepted are ${algorithms.join(', ')}`);
}

function fault({ issuer, index }: IssuerPlace, member: KeyMember, fix: string): IdentityFault {
  const message = member === 'publicKey' ? fix : `${issuer[member]}: ${fix}`;
  return new IdentityFault(['issuers', index, member], message);
}

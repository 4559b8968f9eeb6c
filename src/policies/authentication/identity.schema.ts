import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { duration } from '../../config/units.ts';
import { httpUrl } from '../../config/url.ts';
import { secretFileName } from '../../config/secret-places.ts';
import { variableName } from '../../config/variable-name.ts';
import { loginSchema } from './login/login.schema.ts';
import { apiKeyOptionsSchema, configuredApiKey } from './api-keys/api-key.schema.ts';
import { clientCertificatesSchema } from './client-certificates/client-certificates.schema.ts';
import { dampingSchema } from './damping/damping.schema.ts';
import { introspectionSchema } from './introspection/introspection.schema.ts';
import { ASYMMETRIC_ALGORITHMS, claimNames, idPrefix, issuerName, names } from './issuer-options.schema.ts';
import { typOf } from './tokens/compact-token.ts';
import { isDiscoverable } from './tokens/discovery-document.ts';
import { resourcesSchema } from './resource-metadata.schema.ts';
import { revocationSchema } from './revocation/revocation.schema.ts';
import { tokenPlacesSchema } from './tokens/token-places.schema.ts';

/** Algorithms with a shared secret (RFC 7518 section 3.2). */
export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;

/** Every algorithm that this version verifies; `none` is not one. */
export const JWT_ALGORITHMS = [...ASYMMETRIC_ALGORITHMS, ...SECRET_ALGORITHMS] as const;

/** An algorithm that this version verifies. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

const KEY_MEMBERS = ['jwks', 'jwksFile', 'discovery', 'publicKey', 'secretEnv', 'secretFile'] as const;

function between(fromMs: number, toMs: number, text: string) {
  return duration.refine((ms) => ms >= fromMs && ms <= toMs, `expected a duration between ${text}`);
}

function isPublicKey(pem: string): boolean {
  if (pem.includes('PRIVATE KEY')) return false;
  try {
    return createPublicKey(pem).type === 'public';
  } catch {
    return false;
  }
}

/** A media type without `application/` (RFC 7515 section 4.1.9). */
const typName = z.string().regex(/^[A-Za-z0-9!#$&^_.+/-]{1,127}$/, 'expected a media type, such as at+jwt');

const issuer = z
  .strictObject({
    issuer: issuerName.describe('The exact `iss` of its tokens; a trailing slash counts.'),
    jwks: httpUrl.optional().describe('URL of its key set (RFC 7517). Redirects are refused.'),
    discovery: z
      .literal(true)
      .optional()
      .describe(
        'Finds its key set by its metadata: `/.well-known/openid-configuration` below the issuer, else `/.well-known/oauth-authorization-server` (RFC 8414). Redirects are refused.',
      ),
    jwksFile: z
      .string()
      .min(1)
      .optional()
      .describe('File with its key set, from the working directory; read again on every refresh.'),
    publicKey: z
      .string()
      .refine(isPublicKey, 'expected a public key or certificate in PEM form, never a private key')
      .optional()
      .describe('Its public key as PEM text.'),
    secretEnv: variableName
      .optional()
      .describe('Name of the environment variable that holds the shared secret of HS* tokens.'),
    secretFile: secretFileName
      .optional()
      .describe('File with that secret, from the working directory; a change is taken over.'),
    audiences: names.min(1).describe('Accepted `aud` values; a token needs one of them.'),
    algorithms: z
      .array(z.enum(JWT_ALGORITHMS))
      .min(1)
      .optional()
      .describe('Accepted algorithms. Default RS256 and ES256, or HS256 with secretEnv or secretFile.'),
    typ: z
      .union([typName, z.array(typName).min(1).max(10)])
      .transform((given) => [given].flat().map(typOf))
      .optional()
      .describe(
        'The `typ` that a token has to have, such as `at+jwt`, or several. Default: none, `JWT` or `at+jwt`; tokens that say they are for something else are refused.',
      ),
    claims: claimNames
      .prefault({})
      .describe('Where the token says what; dots reach into objects, such as realm_access.roles.'),
    idPrefix,
    clockSkew: between(0, 300_000, '0s and 5m')
      .prefault('5s')
      .describe('How far the clocks of issuer and gateway may be apart. Default 5s.'),
    jwksRefresh: between(100, 86_400_000, '100ms and 1d')
      .prefault('5m')
      .describe('How often the key set is fetched. Default 5m.'),
    jwksCooldown: between(100, 3_600_000, '100ms and 1h')
      .prefault('10s')
      .describe('At most one extra fetch per this time, when a token names an unknown key. Default 10s.'),
  })
  .superRefine((one, context) => {
    if (one.discovery === true && !isDiscoverable(one.issuer)) {
      const message = 'expected an issuer that is a URL without query and fragment';
      context.addIssue({ code: 'custom', path: ['discovery'], message });
    }
    const given = KEY_MEMBERS.filter((member) => one[member] !== undefined);
    if (given.length !== 1) {
      context.addIssue({
        code: 'custom',
        path: given[1] === undefined ? [] : [given[1]],
        message: `expected exactly one of ${KEY_MEMBERS.join(', ')}`,
      });
    }
    // A public key is public: as the secret of an HMAC it would let anybody sign (key confusion).
    for (const [index, algorithm] of (one.algorithms ?? []).entries()) {
      if (algorithm.startsWith('HS') === isShared(one)) continue;
      const message = isShared(one)
        ? `${algorithm} does not go with ${one.secretEnv === undefined ? 'secretFile' : 'secretEnv'}`
        : `${algorithm} needs secretEnv or secretFile`;
      context.addIssue({ code: 'custom', path: ['algorithms', index], message });
    }
  })
  .transform((one) => ({
    ...one,
    algorithms: one.algorithms ?? (isShared(one) ? DEFAULT_SECRET_ALGORITHMS : DEFAULT_ALGORITHMS),
  }));

function isShared(one: { readonly secretEnv?: unknown; readonly secretFile?: unknown }): boolean {
  return one.secretEnv !== undefined || one.secretFile !== undefined;
}

const DEFAULT_ALGORITHMS: JwtAlgorithm[] = ['RS256', 'ES256'];
const DEFAULT_SECRET_ALGORITHMS: JwtAlgorithm[] = ['HS256'];

const tokenCache = z.strictObject({
  ttl: between(0, 3_600_000, '0s and 1h')
    .prefault('5m')
    .describe('How long a verified token is believed without checking it again. Default 5m.'),
  max: z.int().min(1).max(1_000_000).default(10_000).describe('How many tokens are kept. Default 10000.'),
});

function refuseTwins<T>(member: keyof T & string) {
  return (list: readonly T[], context: z.RefinementCtx<readonly T[]>): void => {
    for (const [index, one] of list.entries()) {
      if (list.findIndex((other) => other[member] === one[member]) === index) continue;
      context.addIssue({ code: 'custom', path: [index, member], message: 'is listed twice' });
    }
  };
}

/** The `identity:` section: who issues the credentials and how they are checked. */
export const identitySchema = z
  .strictObject({
    issuers: z
      .array(issuer)
      .superRefine(refuseTwins('issuer'))
      .default([])
      .describe('The issuers of tokens.'),
    introspection: introspectionSchema.optional(),
    resources: resourcesSchema,
    tokens: tokenPlacesSchema.prefault({}).describe('Where tokens are looked for, and how long they may be.'),
    revocation: revocationSchema.optional(),
    clientCertificates: clientCertificatesSchema.optional(),
    login: loginSchema(claimNames).optional(),
    damping: dampingSchema.prefault({}),
    tokenCache: tokenCache.prefault({}).describe('The cache of verified tokens.'),
    apiKeys: z
      .array(configuredApiKey)
      .superRefine(refuseTwins('sha256'))
      .default([])
      .describe('API keys that are part of the configuration, hashed.'),
    apiKeyOptions: apiKeyOptionsSchema
      .prefault({})
      .describe('Where API keys are looked for, and how long those that have ended are remembered.'),
  })
  .describe('Who issues the credentials and how they are checked.');

/** The parsed `identity:` section. */
export type IdentityOptions = z.output<typeof identitySchema>;

/** One parsed issuer. */
export type IssuerOptions = IdentityOptions['issuers'][number];

/** Where the tokens of an issuer say what. */
export type ClaimNames = IssuerOptions['claims'];

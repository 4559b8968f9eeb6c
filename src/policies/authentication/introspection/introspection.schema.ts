import { z } from 'zod';
import { duration } from '../../../config/units.ts';
import { httpUrl } from '../../../config/url.ts';
import { variableName } from '../../../config/variable-name.ts';
import { circuitBreakerPolicy } from '../../circuit-breaker/circuit-breaker.policy.ts';
import { ASYMMETRIC_ALGORITHMS, claimNames, idPrefix, issuerName, names } from '../issuer-options.schema.ts';
import { isDiscoverable } from '../tokens/discovery-document.ts';

function between(fromMs: number, toMs: number, text: string) {
  return duration.refine((ms) => ms >= fromMs && ms <= toMs, `expected a duration between ${text}`);
}

const fileName = z.string().min(1);
/** Visible ASCII, as client ids are (RFC 6749 appendix A.1). */
const clientId = z.string().regex(/^[\x20-\x7e]+$/, 'expected a client id of visible ASCII characters');

const SECRETS = ['clientSecretEnv', 'clientSecretFile', 'privateKeyEnv', 'privateKeyFile'] as const;

const cache = z.strictObject({
  ttl: between(0, 3_600_000, '0s and 1h')
    .prefault('30s')
    .describe(
      'How long a token is believed that was active, never beyond its `exp`; a token that is revoked at the provider works for as long. `0s` asks for each request. Default 30s.',
    ),
  max: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('How many active tokens are kept. Default 10000.'),
  negativeTtl: between(0, 10_000, '0s and 10s')
    .prefault('5s')
    .describe('How long a token that was refused is refused without asking. At most 10s. Default 5s.'),
  negativeMax: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe(
      'How many refused tokens are kept, apart from the active ones: made-up tokens push none of those out. Default 10000.',
    ),
});

/** `identity.introspection`: the authorization server that is asked about tokens (RFC 7662). */
export const introspectionSchema = z
  .strictObject({
    url: httpUrl
      .optional()
      .describe('URL of the introspection endpoint. Redirects are refused. Absent with `discovery`.'),
    issuer: issuerName
      .optional()
      .describe(
        'The issuer: an `iss` of an answer has to be this. Required for `discovery` and signed answers.',
      ),
    discovery: z
      .literal(true)
      .optional()
      .describe(
        'Finds the endpoint, and the keys of signed answers, by the metadata of the issuer, as for `issuers`.',
      ),
    clientId: clientId.describe('The id of the gateway at the authorization server.'),
    clientSecretEnv: variableName
      .optional()
      .describe('Name of the environment variable that holds the client secret.'),
    clientSecretFile: fileName
      .optional()
      .describe('File that holds it, from the working directory; a line break at its end does not count.'),
    privateKeyEnv: variableName
      .optional()
      .describe(
        'Name of the environment variable that holds a private key as PEM, in place of a secret: the gateway signs who it is (`private_key_jwt`, RFC 7523).',
      ),
    privateKeyFile: fileName.optional().describe('File that holds it, from the working directory.'),
    keyId: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('The `kid` that goes with what the private key signs.'),
    clientAuthentication: z
      .enum(['client_secret_basic', 'client_secret_post'])
      .default('client_secret_basic')
      .describe(
        'How the secret is shown: in `Authorization`, or in the form. Ignored with a private key. Default client_secret_basic.',
      ),
    audiences: names
      .min(1)
      .optional()
      .describe(
        'Accepted `aud` values; a token needs one of them. Default: an `aud` has to name the client id, and none is needed.',
      ),
    tokenType: z
      .enum(['required', 'optional'])
      .default('required')
      .describe(
        'Whether answers have to say `token_type`. Without it an active refresh token looks like an access token. Default required.',
      ),
    answers: z
      .enum(['json', 'signed', 'either'])
      .default('json')
      .describe(
        'Which answers are taken: JSON, signed ones (RFC 9701), or what comes. Signed ones need `issuer` and `discovery`, `jwks` or `jwksFile`. Default json.',
      ),
    jwks: httpUrl.optional().describe('URL of the key set that signs answers.'),
    jwksFile: fileName.optional().describe('File with it, from the working directory.'),
    algorithms: z
      .array(z.enum(ASYMMETRIC_ALGORITHMS))
      .min(1)
      .default(['RS256', 'ES256'])
      .describe('Accepted algorithms of signed answers. Default RS256 and ES256.'),
    claims: claimNames.prefault({}).describe('Where answers say what; dots reach into objects.'),
    idPrefix,
    clockSkew: between(0, 300_000, '0s and 5m')
      .prefault('5s')
      .describe('How far the clocks of authorization server and gateway may be apart. Default 5s.'),
    timeout: between(10, 30_000, '10ms and 30s')
      .prefault('2s')
      .describe('How long an answer may take in all. Default 2s.'),
    cache: cache.prefault({}).describe('What is remembered of tokens, by digest.'),
    circuitBreaker: circuitBreakerPolicy.schema
      .prefault({ consecutiveFailures: 5, openFor: '5s', maxOpenFor: '1m' })
      .describe(
        'When the endpoint is left alone: tokens that are not known are answered with 503 then. Default: after 5 failures in a row, for 5s.',
      ),
  })
  .superRefine((one, context) => {
    const fault = (message: string, ...path: string[]): void =>
      context.addIssue({ code: 'custom', path, message });
    if ((one.url === undefined) === (one.discovery === undefined))
      fault('expected one of url and discovery', ...(one.url === undefined ? [] : ['discovery']));
    if (one.discovery === true && !isDiscoverable(one.issuer ?? ''))
      fault('expected an issuer that is a URL without query and fragment', 'discovery');
    const secrets = SECRETS.filter((name) => one[name] !== undefined);
    if (secrets.length !== 1) fault(`expected exactly one of ${SECRETS.join(', ')}`, ...secrets.slice(1, 2));
    const keys = [one.discovery, one.jwks, one.jwksFile].filter((source) => source !== undefined);
    if (one.answers !== 'json' && (keys.length !== 1 || one.issuer === undefined))
      fault('signed answers need issuer, and one of discovery, jwks and jwksFile', 'answers');
    // Fails closed: whoever gives keys means that answers are checked with them.
    if (one.answers === 'json' && (one.jwks ?? one.jwksFile) !== undefined)
      fault('expected `signed` or `either`: there are keys for signed answers', 'answers');
  })
  .describe('The authorization server that is asked about tokens (RFC 7662). Default: none.');

/** The parsed `identity.introspection`. */
export type IntrospectionOptions = z.output<typeof introspectionSchema>;

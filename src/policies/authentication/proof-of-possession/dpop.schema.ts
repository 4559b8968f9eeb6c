import { z } from 'zod';
import { duration } from '../../../config/units.ts';
import { urlText } from '../../../config/url.ts';
import { checkSecretPlaces, secretFileName } from '../../../config/secret-places.ts';
import { variableName } from '../../../config/variable-name.ts';

/** Signature algorithms of proofs that this version verifies: none with a shared secret (RFC 9449 section 4.3). */
export const PROOF_ALGORITHMS = [
  'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512',
] as const; // prettier-ignore

function between(fromMs: number, toMs: number, text: string) {
  return duration.refine((ms) => ms >= fromMs && ms <= toMs, `expected a duration between ${text}`);
}

const publicUrl = urlText({
  schemes: ['http', 'https'],
  example: 'https://api.example.com',
  rest: 'anything',
}).refine((text) => !text.includes('?'), 'expected no query in the URL');

const nonceKeys = {
  secretEnv: variableName
    .optional()
    .describe(
      'Name of the environment variable with the secret, of 32 characters or more, that all replicas make nonces with. Default: one of this process; several need this.',
    ),
  secretFile: secretFileName
    .optional()
    .describe(
      'File with that secret, from the working directory. A change is taken over: nonces of before hold no more, and clients are given new ones.',
    ),
  lifetime: between(10_000, 3_600_000, '10s and 1h')
    .prefault('5m')
    .describe('How long a nonce is given out; it is taken for as long again. Default 5m.'),
};

const nonces = z.strictObject(nonceKeys).superRefine((given, context) => {
  const fault = (path: string[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  checkSecretPlaces(given, ['secretEnv', 'secretFile'], fault);
});

const replay = z.strictObject({
  max: z
    .int()
    .min(100)
    .max(5_000_000)
    .default(200_000)
    .describe(
      'How many proofs a process remembers, and a tenth of them for each caller; who exceeds that is answered with 503. Default 200000.',
    ),
  onStoreError: z
    .enum(['closed', 'local'])
    .default('closed')
    .describe(
      'What becomes of proofs while Redis, which replicas share what they have seen by, does not answer: `closed` answers 503, `local` goes by what this process has seen. Default closed.',
    ),
});

const verified = z.strictObject({
  mode: z
    .enum(['accept', 'require'])
    .describe(
      '`accept` takes tokens that are bound to a key with their proof, and other ones as well; `require` takes none without a proof.',
    ),
  urls: z
    .array(publicUrl)
    .min(1)
    .describe(
      'Where clients reach the gateway, such as `https://api.example.com`: a proof is for one of these and the path. A path that a proxy in front takes away belongs to it.',
    ),
  algorithms: z
    .array(z.enum(PROOF_ALGORITHMS))
    .min(1)
    .default(['ES256', 'ES384', 'EdDSA', 'Ed25519'])
    .describe('Accepted algorithms of proofs. Default ES256, ES384, EdDSA and Ed25519.'),
  window: between(1000, 300_000, '1s and 5m')
    .prefault('60s')
    .describe('How far the time of a proof may be from ours, to either side. Default 60s.'),
  nonces: nonces
    .optional()
    .describe(
      'Asks for nonces, so that no proof can be made in advance (RFC 9449 section 9). Default: none.',
    ),
  replay: replay.prefault({}).describe('What is remembered of proofs, which hold once.'),
});

/** `identity.tokens.dpop`: what becomes of tokens that are bound to a key (RFC 9449). */
export const dpopSchema = z
  .union([z.enum(['off', 'ignore']), verified])
  .describe(
    'Proofs of possession (DPoP, RFC 9449). `off` refuses tokens that are bound to a key; `ignore` takes them as if they were not, so that whoever has stolen one can use it; or how proofs are verified. Default off.',
  );

/** The parsed `identity.tokens.dpop`. */
export type DpopOptions = z.output<typeof dpopSchema>;

/** How proofs are verified. */
export type VerifiedDpopOptions = z.output<typeof verified>;

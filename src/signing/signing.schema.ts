import { z } from 'zod';
import { timerDuration } from '../config/units.ts';
import { checkSecretPlaces, secretFileName } from '../config/secret-places.ts';
import { variableName } from '../config/variable-name.ts';
import { SIGNING_ALGORITHMS } from './signing-key.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The `identity.signing` section: the keys of the tokens by which services learn who calls. */
export const signingSchema = z
  .strictObject({
    issuer: z
      .string()
      .min(1)
      .max(256)
      .default('gatehouse')
      .describe('The `iss` of the tokens, by which services know whose they are. Default gatehouse.'),
    keys: z
      .array(z.string().min(1))
      .min(1)
      .max(10)
      .optional()
      .describe(
        'Files with keys, P-256 or Ed25519, in PEM or as JWK: the first one signs, all of them are published. Relative to the configuration file; changes are taken over.',
      ),
    rotate: timerDuration
      .refine((ms) => ms >= 10 * MINUTE_MS && ms <= 20 * DAY_MS, 'expected a duration between 10m and 20d')
      .optional()
      .describe(
        'How long each of the keys signs that the gateway makes by itself, in place of `keys`. All replicas have the same, through Redis.',
      ),
    secretEnv: variableName
      .optional()
      .describe(
        'Environment variable with the secret, of 32 characters or more, that keys are encrypted with in Redis; the same for all replicas.',
      ),
    secretFile: secretFileName
      .optional()
      .describe('File with that secret, from where the configuration is; a change is taken over.'),
    algorithm: z
      .enum(SIGNING_ALGORITHMS)
      .optional()
      .describe('What keys are made for. Default ES256; those of files say it themselves.'),
    path: z
      .string()
      .regex(/^(?:\/[A-Za-z0-9\-._~]+)+$/, 'expected a literal path, such as /.well-known/jwks.json')
      .default('/.well-known/jwks.json')
      .describe('Where services get the public keys, open to everybody. Default /.well-known/jwks.json.'),
  })
  .superRefine(({ keys, rotate, secretEnv, secretFile, algorithm }, context) => {
    const fault = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if ((keys === undefined) === (rotate === undefined))
      return fault(keys === undefined ? [] : ['rotate'], 'expected one of `keys` and `rotate`');
    // Who can read Redis could speak for the gateway.
    if (rotate !== undefined && secretEnv === undefined && secretFile === undefined)
      fault(['rotate'], 'expected `secretEnv` or `secretFile` beside it');
    checkSecretPlaces({ secretEnv, secretFile }, ['secretEnv', 'secretFile'], fault);
    for (const [name, said] of Object.entries({ secretEnv, secretFile, algorithm }))
      if (keys !== undefined && said !== undefined) fault([name], 'expected it beside `rotate` only');
  })
  .describe('The keys that identity tokens for services are signed with.');

/** The parsed `identity.signing`. */
export type SigningOptions = z.output<typeof signingSchema>;

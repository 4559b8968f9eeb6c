import { z } from 'zod';
import { timerDuration } from '../../config/units.ts';
import { httpUrl } from '../../config/url.ts';
import { secretFileName } from '../../config/secret-places.ts';
import { variableName } from '../../config/variable-name.ts';

const name = z.string().min(1).max(512);
const names = z
  .union([name, z.array(name).min(1).max(10)])
  .transform((given) => [given].flat())
  .optional();

const SECRETS = ['clientSecretEnv', 'clientSecretFile', 'privateKeyFile'] as const;

/** The `exchange` of an upstream: another token in place of that of the client (RFC 8693). */
export const exchangeSchema = z
  .strictObject({
    url: httpUrl.describe('The token endpoint of the issuer. Redirects are refused.'),
    issuer: name
      .optional()
      .describe(
        'The issuer whose tokens are exchanged there, no others. Needed with several issuers; default the only one.',
      ),
    clientId: name.describe('Who the gateway is for the issuer.'),
    clientSecretEnv: variableName
      .optional()
      .describe('Environment variable with its secret, in place of a key.'),
    clientSecretFile: secretFileName
      .optional()
      .describe('File with its secret, from where the configuration is; a change is taken over.'),
    privateKeyFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with its key, P-256 or Ed25519, for `private_key_jwt` (RFC 7523), in place of a secret.',
      ),
    clientAuth: z
      .enum(['client_secret_basic', 'client_secret_post'])
      .default('client_secret_basic')
      .describe('How the secret is shown (RFC 6749 section 2.3.1). Default client_secret_basic.'),
    audience: names.describe('The `audience` that is asked for, or several. Default none.'),
    resource: names.describe('The `resource` that is asked for (RFC 8707), or several. Default none.'),
    scope: name.optional().describe('The scopes that are asked for. Default those that the issuer chooses.'),
    timeout: timerDuration
      .refine((ms) => ms >= 10 && ms <= 30_000, 'expected a duration between 10ms and 30s')
      .default(2000)
      .describe('How long the issuer may take. Default 2s.'),
    maxAge: timerDuration
      .default(300_000)
      .describe('The longest time that a token is used for, whatever the issuer says. Default 5m.'),
  })
  .superRefine((exchange, context) => {
    const given = SECRETS.filter((key) => exchange[key] !== undefined);
    if (given.length === 1) return;
    const message = 'expected one of clientSecretEnv, clientSecretFile and privateKeyFile';
    context.addIssue({ code: 'custom', path: given[1] === undefined ? [] : [given[1]], message });
  })
  .describe('A token that the issuer gives for that of the client (RFC 8693), in its place. Default none.');

/** The parsed `exchange` of an upstream. */
export type ExchangeOptions = z.output<typeof exchangeSchema>;

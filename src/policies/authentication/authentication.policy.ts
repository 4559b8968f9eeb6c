import { z } from 'zod';
import { definePolicy } from '../policy.ts';

/** The credentials that this version can check. */
export const AUTHENTICATION_SCHEMES = ['jwt', 'introspection', 'apiKey'] as const;

/** Who may call the route: anybody, or only callers who prove who they are. */
export const authenticationPolicy = definePolicy({
  name: 'authentication',
  schema: z
    .union([
      z.literal('public').describe('Anybody may call; credentials are not looked at.'),
      z.strictObject({
        schemes: z
          .array(z.enum(AUTHENTICATION_SCHEMES))
          .min(1)
          .describe('The credentials that are accepted; the first one that the request carries is checked.'),
        dpop: z
          .literal('require')
          .optional()
          .describe(
            'Whether tokens need a proof of possession here (DPoP, RFC 9449). Default: what `identity.tokens.dpop` says.',
          ),
      }),
    ])
    .describe('Who may call the route. Every route needs it, from itself or from a default.'),
  step: 'identify',
  summary:
    'Says who may call a route: everybody, or callers who prove who they are. Every route needs this policy, from itself or from a default; one without it does not boot. Of the accepted schemes, the first whose credential the request carries is checked, and its answer stands: a bad credential is refused, never skipped.',
  per: 'connection',
  before: 'body',
  refusesWith: [
    'credentials-missing',
    'credentials-invalid',
    'credentials-expired',
    'credentials-revoked',
    'identity-unavailable',
    'permission-denied',
  ],
  describe: (options) => (options === 'public' ? options : options.schemes.join(',')),
  onFields: 'all',
});

/** Says which credentials a controller or handler accepts. */
export const Authentication = authenticationPolicy.decorator;

/** Opens a controller or handler to everybody. */
export const Public = () => authenticationPolicy.decorator('public');

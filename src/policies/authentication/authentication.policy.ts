import { z } from 'zod';
import { definePolicy } from '../policy.ts';

/** The credentials that this version can check. */
export const AUTHENTICATION_SCHEMES = ['jwt', 'apiKey', 'session'] as const;

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
        onNavigation: z
          .enum(['refuse', 'login'])
          .optional()
          .describe(
            'What becomes of a page that a browser opens without a session: `login` sends it to log in and back. Default refuse.',
          ),
        accessToken: z
          .enum(['keep', 'forward'])
          .optional()
          .describe(
            'Whether services get the access token of a session, as `Authorization: Bearer`. Default keep.',
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

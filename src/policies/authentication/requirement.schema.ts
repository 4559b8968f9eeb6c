import { z } from 'zod';
import { duration } from '../../config/units.ts';

/** The credentials that this version can check. */
export const AUTHENTICATION_SCHEMES = ['jwt', 'introspection', 'apiKey', 'mtls', 'session'] as const;

const scheme = z.enum(AUTHENTICATION_SCHEMES);
const MOST = 10;

function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item).min(1).max(MOST).refine(areDifferent, 'says the same twice');
}

function areDifferent(list: readonly unknown[]): boolean {
  return new Set(list.map((one) => JSON.stringify(one))).size === list.length;
}

const asked = z
  .strictObject({
    schemes: listOf(scheme)
      .optional()
      .describe('The credentials that are accepted; the first one that the request carries is checked.'),
    anyOf: listOf(z.union([scheme, z.strictObject({ allOf: listOf(scheme) })]))
      .optional()
      .describe('The same, where one alternative is several credentials: `[{ allOf: [jwt, apiKey] }, jwt]`.'),
    allOf: listOf(z.union([scheme, z.strictObject({ anyOf: listOf(scheme) })]))
      .optional()
      .describe('Credentials that are all needed; the first one says who calls.'),
    dpop: z
      .literal('require')
      .optional()
      .describe(
        'Whether tokens need a proof of possession here (DPoP, RFC 9449). Default: what `identity.tokens.dpop` says.',
      ),
    optional: z
      .boolean()
      .optional()
      .describe(
        'Whether somebody without any credential may call as nobody. A bad one, or one of several, is refused all the same. Default false.',
      ),
    expiryGrace: z
      .union([duration, z.literal('unlimited')])
      .optional()
      .describe(
        'How long a request, an upload or a download that is under way may go on after its token has expired; streams and sockets end with it. Default 5m.',
      ),
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
  })
  .superRefine(({ schemes, anyOf, allOf, optional, onNavigation }, context) => {
    if (optional === true && onNavigation === 'login')
      context.addIssue({
        code: 'custom',
        path: ['onNavigation'],
        message:
          'does not go with `optional: true`: a page without a session goes on as nobody, or to log in',
      });
    if ([schemes, anyOf, allOf].filter((one) => one !== undefined).length === 1) return;
    context.addIssue({ code: 'custom', message: 'expected one of schemes, anyOf, allOf' });
  });

/** The options of the `authentication` policy. */
export const authenticationSchema = z
  .union([z.literal('public').describe('Anybody may call; credentials are not looked at.'), asked])
  .describe('Who may call the route. Every route needs it, from itself or from a default.');

/** The parsed options of the policy. */
export type AuthenticationOptions = z.output<typeof authenticationSchema>;

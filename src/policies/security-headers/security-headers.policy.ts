import { z } from 'zod';
import { duration, durationText } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';

const off = z.literal('off');
const fieldValue = z
  .string()
  .min(1)
  .regex(/^[\t\x20-\x7e]*$/, 'expected a header field value on one line');

const HALF_A_YEAR_MS = 180 * 86_400_000;
/** What browsers want to see before they put a host on their lists. */
const PRELOAD_MS = 365 * 86_400_000;

const hsts = z
  .strictObject({
    maxAge: duration
      .default(HALF_A_YEAR_MS)
      .describe('How long browsers come over HTTPS only. Default 180d.'),
    includeSubDomains: z.boolean().default(false).describe('Whether it holds for subdomains. Default false.'),
    preload: z
      .boolean()
      .default(false)
      .describe('Whether browsers may put the host on their lists, for good. Default false.'),
  })
  .refine(
    ({ preload, includeSubDomains, maxAge }) => !preload || (includeSubDomains && maxAge >= PRELOAD_MS),
    'expected `includeSubDomains: true` and a `maxAge` of 365d or more with `preload`: no list takes it otherwise',
  );

/** Header fields that tell browsers what they may do with an answer. */
export const securityHeadersPolicy = definePolicy({
  name: 'securityHeaders',
  schema: z.strictObject({
    hsts: z
      .union([off, hsts])
      .prefault({})
      .describe('`Strict-Transport-Security`, over HTTPS only, in place of any other. Default 180d.'),
    contentTypeOptions: z
      .union([off, z.literal('nosniff')])
      .default('nosniff')
      .describe('`X-Content-Type-Options`. Default nosniff.'),
    frameOptions: z
      .union([off, z.enum(['DENY', 'SAMEORIGIN'])])
      .default('DENY')
      .describe('`X-Frame-Options`. Default DENY.'),
    referrerPolicy: z
      .union([
        off,
        z.enum([
          'no-referrer',
          'same-origin',
          'origin',
          'strict-origin',
          'origin-when-cross-origin',
          'strict-origin-when-cross-origin',
        ]),
      ])
      .default('strict-origin-when-cross-origin')
      .describe('`Referrer-Policy`. Default strict-origin-when-cross-origin.'),
    contentSecurityPolicy: fieldValue.optional().describe('`Content-Security-Policy`. Default none.'),
    permissionsPolicy: fieldValue.optional().describe('`Permissions-Policy`. Default none.'),
    crossOriginOpenerPolicy: z
      .enum(['same-origin', 'same-origin-allow-popups', 'unsafe-none'])
      .optional()
      .describe('`Cross-Origin-Opener-Policy`. Default none.'),
    crossOriginResourcePolicy: z
      .enum(['same-origin', 'same-site', 'cross-origin'])
      .optional()
      .describe('`Cross-Origin-Resource-Policy`. Default none.'),
    override: z
      .boolean()
      .default(false)
      .describe('Whether fields of an answer that says them itself are replaced. Default false.'),
  }),
  summary:
    'Adds the header fields that tell browsers what they may do with an answer: to every answer of a route, whoever made it, and, as `defaults`, to refusals of requests that no route takes.',
  per: 'connection',
  before: 'identity',
  refusesWith: [],
  describe: ({ hsts: strict }) => (strict === 'off' ? 'without HSTS' : `HSTS ${durationText(strict.maxAge)}`),
});

/** What {@link securityHeadersPolicy} takes. */
export type SecurityHeaders = z.output<typeof securityHeadersPolicy.schema>;

/** Adds header fields for browsers to the answers of a controller or handler. */
export const AddSecurityHeaders = securityHeadersPolicy.decorator;

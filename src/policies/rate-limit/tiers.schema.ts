import { z } from 'zod';
import { bucketShape } from './client-limit.schema.ts';

/** What a tier can be called. */
export const TIER = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const MOST_TENANTS = 1000;

const limit = z.strictObject(bucketShape).transform(({ rate, per, burst = rate }) => ({ rate, per, burst }));

const off = z.literal('off').describe('No limit.');

/** A limit as operators say it while the gateway runs. */
export const liveLimitSchema = z.union([off, limit]);

/** Limits by the name of a tier of service. */
export const tierLimitsSchema = z
  .record(
    z.string().regex(TIER, 'expected letters, digits, dots, dashes and underscores'),
    z.union([off, limit]),
  )
  .refine((tiers) => Object.values(tiers).some((one) => one !== 'off'), 'expected a tier that has a limit');

/** Limits for some of those whom a rule counts, by what it counts them under. */
export const overridesSchema = z.record(
  // Nobody is ever counted under anything else, so that it would do nothing.
  z
    .string()
    .max(512)
    .regex(/^all$|:/, 'expected what somebody is counted under, such as `tenant:acme`'),
  z.union([off, limit]),
);

/** A limit of a tier or of somebody; `off` for none. */
export type TierLimit = z.output<typeof limit> | 'off';

/** `tiers:` of the configuration file. */
export const tiersSchema = z
  .record(
    z.string().regex(TIER, 'expected letters, digits, dots, dashes and underscores'),
    z.union([
      off,
      z
        .strictObject({
          ...bucketShape,
          tenants: z
            .array(z.string().min(1).max(256))
            .max(MOST_TENANTS)
            .default([])
            .describe('Tenants whose callers are of this tier where nothing else says theirs. Default none.'),
        })
        .transform(({ rate, per, tenants, burst = rate }) => ({ rate, per, burst, tenants })),
    ]),
  )
  .superRefine((tiers, context) => {
    const seen = new Set<string>();
    for (const [name, tier] of Object.entries(tiers)) {
      if (tier === 'off') continue;
      for (const [index, tenant] of tier.tenants.entries()) {
        if (seen.has(tenant))
          context.addIssue({
            code: 'custom',
            path: [name, 'tenants', index],
            message: 'expected a tenant that no other tier has',
          });
        seen.add(tenant);
      }
    }
  })
  .describe('Tiers of service, by name, for rules of `rateLimit` with `tiers: true`.');

/** The parsed tiers. */
export type Tiers = z.output<typeof tiersSchema>;

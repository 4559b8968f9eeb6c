import { z } from 'zod';
import { duration } from '../../config/units.ts';

const LONGEST_PERIOD_MS = 366 * 86_400_000;

/** What a token bucket is like. */
export const bucketShape = {
  rate: z.int().min(1).max(1e9).describe('Tokens that flow into the bucket per period.'),
  per: duration
    .refine((ms) => ms >= 1 && ms <= LONGEST_PERIOD_MS, 'expected a period from 1ms to 366d')
    .default(60_000)
    .describe('The period of the rate. Default 1m.'),
  burst: z.int().min(1).max(1e9).describe('Capacity of the bucket. Default: the rate.').optional(),
};

/** How often one client may call, whatever it calls. */
export const clientLimitSchema = z
  .strictObject(bucketShape)
  .transform((limit) => ({ ...limit, burst: limit.burst ?? limit.rate }));

/** A parsed limit; its period in ms. */
export type ClientLimitOptions = z.output<typeof clientLimitSchema>;

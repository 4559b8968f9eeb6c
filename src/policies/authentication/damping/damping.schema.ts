import { z } from 'zod';
import { addressBlockText } from '../../../config/address-block.ts';
import { duration } from '../../../config/units.ts';

const MAX_BLOCKS = 1000;
/** Networks that only a proxy of one's own is seen from (RFC 1918, 6598, 4193, 4291). */
const OWN_NETWORKS = [
  'loopback', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/10',
]; // prettier-ignore

/** `identity.damping`: when an address that sends bad credentials is not listened to for a while. */
export const dampingSchema = z
  .union([
    z.literal('off').describe('However many bad credentials come from an address, each is checked.'),
    z.strictObject({
      failures: z
        .int()
        .min(1)
        .max(100_000)
        .default(100)
        .describe('How many bad credentials an address may send within the window. Default 100.'),
      window: duration
        .refine((ms) => ms >= 1000 && ms <= 3_600_000, 'expected a duration between 1s and 1h')
        .prefault('1m')
        .describe('How long bad credentials are counted, from the first one on. Default 1m.'),
      exempt: z
        .array(addressBlockText)
        .max(MAX_BLOCKS)
        .default(OWN_NETWORKS)
        .describe(
          'Addresses and CIDR blocks that are never damped. Default: `loopback` and private networks, because whoever calls from there is likely a proxy that is not among the trusted ones, and stands for everybody.',
        ),
    }),
  ])
  .describe(
    'When an address that sends too many bad credentials is answered with 429 before any is checked; known good ones pass. Counted by each replica.',
  );

/** The parsed `identity.damping`. */
export type DampingOptions = z.output<typeof dampingSchema>;

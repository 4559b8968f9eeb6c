import { z } from 'zod';

const MOST_WEIGHT = 1_000_000;
const MOST_OTHERS = 63;

const weight = z.int().min(0).max(MOST_WEIGHT);

const other = z
  .union([
    z.strictObject({
      upstream: z.string().describe('The upstream that gets a share.'),
      weight: weight.default(1).describe('Its weight; 0 for none. Default 1.'),
    }),
    z.strictObject({
      refuse: z.literal(true).describe('Nobody gets this share: it is refused with 500.'),
      weight: weight.default(1).describe('Its weight; 0 for none. Default 1.'),
    }),
  ])
  .describe('Another upstream, or nobody.');

/** How the requests of a forwarded route are shared between upstreams. */
export const splitSchema = z
  .strictObject({
    weight: weight.default(1).describe('Weight of the upstream of the route; 0 for none. Default 1.'),
    others: z.array(other).min(1).max(MOST_OTHERS).describe('Who else gets a share, by weight.'),
  })
  .describe('Shares of the requests by weight, each request by itself; see `canary` for clients that stay.');

/** The parsed `split` of a route. */
export type SplitOptions = z.output<typeof splitSchema>;

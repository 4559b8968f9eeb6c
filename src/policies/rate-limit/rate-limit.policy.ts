import { z } from 'zod';
import { durationText } from '../../config/units.ts';
import type { FileFacts } from '../policy-facts.ts';
import { definePolicy } from '../policy.ts';
import { bucketShape } from './client-limit.schema.ts';
import { limitCostSchema } from './limit-cost.schema.ts';
import { keyName, keyText, limitKeySchema } from './limit-key.schema.ts';
import { idleRule } from './idle-rules.ts';
import { checkRule, checkRules, placeOf } from './rule-faults.ts';
import { overridesSchema, tierLimitsSchema, type TierLimit } from './tiers.schema.ts';

const { rate, per, burst } = bucketShape;

const onStoreError = z
  .enum(['local', 'open', 'closed'])
  .default('local')
  .describe(
    'When the store is slow or gone: count in this process, let everything pass, or refuse. Default local.',
  );

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

const rule = z
  .strictObject({
    name: z
      .string()
      .regex(NAME, 'expected letters, digits, dots, dashes and underscores')
      .optional()
      .describe(
        'What it is called in header fields; its buckets go on under that name. Default: after the key.',
      ),
    bucket: z
      .string()
      .regex(NAME, 'expected letters, digits, dots, dashes and underscores')
      .optional()
      .describe(
        'Name of buckets that all rules of this name share, whatever the route; they say the same key and numbers. Default: the rule has its own.',
      ),
    key: limitKeySchema
      .default('principal')
      .describe(
        'Whose bucket: the client address, the principal (the client address when there is none), the API key, the tenant, the route, one for everybody, or a header field, claim, parameter or expression; a list for several together. Default principal.',
      ),
    algorithm: z
      .enum(['tokenBucket', 'slidingWindow', 'fixedWindow'])
      .default('tokenBucket')
      .describe(
        'How it counts: tokens that flow in all the time, what the last period has seen, or what a period of the clock has seen. Default tokenBucket.',
      ),
    rate: rate.optional().describe(`${rate.description ?? ''} With \`tiers\` for callers without one.`),
    per,
    burst: burst.describe('Capacity of the bucket, for `tokenBucket`. Default: the rate.'),
    tiers: z
      .union([z.literal(true), tierLimitsSchema])
      .optional()
      .describe(
        'Limits by the tier of the caller: true for `tiers` of the file, or some of its own. Default: the same for everybody.',
      ),
    overrides: overridesSchema
      .optional()
      .describe(
        'Other limits for some, by what they are counted under, such as `tenant:acme`. Default none.',
      ),
    cost: limitCostSchema.default(1).describe('Tokens that one request takes. Default 1.'),
    perMessage: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Tokens that one message of a client takes, where WebSockets are forwarded (`webSocket` of the route). Default none.',
      ),
    mode: z
      .enum(['enforce', 'shadow'])
      .default('enforce')
      .describe(
        'Whether it refuses, or only counts and logs what it would refuse. Clients do not see one that does not. Default enforce.',
      ),
    precision: z
      .enum(['exact', 'leased'])
      .default('exact')
      .describe(
        'Whether each request is counted in Redis, or in this process out of what it has reserved there. Default exact.',
      ),
    onStoreError,
  })
  .superRefine(checkRule)
  .transform((options) => ({ ...options, burst: options.burst ?? options.rate }));

/** One limit of a route. */
export type RateLimitRule = z.output<typeof rule>;

const coarse = z
  .strictObject({
    // It is asked before anybody is known.
    key: z.literal('ip').default('ip').describe('Whose bucket: the client address. Default ip.'),
    ...bucketShape,
  })
  .transform((options) => ({ ...options, burst: options.burst ?? options.rate }));

/** `floodLimit` of the configuration file: token buckets by address. */
export const floodLimitSchema = z.union([coarse.transform((single) => [single]), z.array(coarse).min(1)]);

/** The parsed flood limit. */
export type FloodRule = z.output<typeof coarse>;

const BOTH_CODES = ['rate-limited', 'limiter-unavailable'] as const;

/** Limits; a request passes when every one of them has room for it. */
export const rateLimitPolicy = definePolicy({
  name: 'rateLimit',
  schema: z
    .union([rule.transform((single) => [single]), z.array(rule).min(1)])
    .superRefine(checkRules)
    .describe('One limit or a list of them; a request must pass all.'),
  step: 'limit',
  summary:
    'Limits how often a route may be called, by token buckets: `rate` tokens flow in `per` period, a bucket holds `burst` of them, and a request takes `cost`; or by windows of `per` that have room for `rate` tokens. With a list of limits a request must pass all of them; one that is refused costs nothing in any.',
  per: 'operation',
  before: 'body',
  refusesWith: ['rate-limited', 'limiter-unavailable'],
  refuses: (rules) =>
    rules
      .filter(({ mode }) => mode === 'enforce')
      .flatMap((one) => (one.onStoreError === 'closed' ? BOTH_CODES : BOTH_CODES.slice(0, 1)))
      .filter((code, index, all) => all.indexOf(code) === index),
  answerFields: {
    RateLimit: {
      description:
        'What is left of each limit: `r` requests, until it is full again in `t` seconds; of one that refuses, until the request can pass.',
    },
    'RateLimit-Policy': { description: 'The limits of the route: `q` requests every `w` seconds.' },
    'X-RateLimit-Limit': { description: 'Capacity of the tightest limit.', type: 'integer' },
    'X-RateLimit-Remaining': { description: 'Requests left of the tightest limit.', type: 'integer' },
    'X-RateLimit-Reset': { description: 'Seconds until the tightest limit is full again.', type: 'integer' },
  },
  describe: (rules, file) => rules.map((one) => ruleText(one, file)).join('; '),
  idle: idleRule,
  shared: (rules) =>
    rules.flatMap(({ bucket, key, ...numbers }, index) => {
      if (bucket === undefined) return [];
      const { algorithm, rate, per, burst, tiers, overrides, precision } = numbers;
      const terms = { key: keyText(key), algorithm, rate, per, burst, tiers, overrides, precision };
      return [{ name: `bucket \`${bucket}\``, key: placeOf(rules, index), terms }];
    }),
  onFields: 'roots',
});

/** The rule in a few words, for operators. */
function ruleText(
  { key, rate, per, burst, algorithm, tiers, mode, cost }: RateLimitRule,
  { tiers: ofFile }: FileFacts = {},
): string {
  const numbers = rate === undefined ? undefined : `${rate}/${durationText(per)}`;
  const more = [
    tiers === undefined ? undefined : tiersText(tiers === true ? ofFile : tiers),
    algorithm === 'tokenBucket' ? burst && `burst ${burst}` : algorithm,
    typeof cost === 'number' ? undefined : 'cost by request',
    mode === 'shadow' ? 'shadow' : undefined,
  ];
  return [keyName(key), numbers, ...more].filter((word) => word !== undefined).join(' ');
}

function tiersText(tiers: Readonly<Record<string, TierLimit>> | undefined): string {
  if (tiers === undefined) return 'by tier';
  const all = Object.entries(tiers).map(([name, limit]) =>
    limit === 'off' ? `${name} off` : `${name} ${limit.rate}/${durationText(limit.per)} burst ${limit.burst}`,
  );
  return `by tier (${all.join(', ')})`;
}

/** Limits how often a controller or handler may be called. */
export const RateLimit = rateLimitPolicy.decorator;

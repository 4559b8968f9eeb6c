import { z } from 'zod';
import { durationText } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';
import { bucketShape } from './client-limit.schema.ts';
import { fixedCost, idleCost, limitCostSchema } from './limit-cost.schema.ts';
import { keyName, keyText, limitKeySchema, nameFault } from './limit-key.schema.ts';
import { overridesSchema, tierLimitsSchema } from './tiers.schema.ts';

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
      .describe('What it is called in header fields. Default: after the key.'),
    bucket: z
      .string()
      .regex(NAME, 'expected letters, digits, dots, dashes and underscores')
      .optional()
      .describe(
        'Name of buckets that all rules of this name share, whatever the route. Default: the rule has its own.',
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
  .refine((options) => options.rate !== undefined || options.tiers !== undefined, {
    message: 'expected a rate, or `tiers`',
    path: ['rate'],
  })
  .refine((options) => options.algorithm === 'tokenBucket' || options.burst === undefined, {
    message: 'expected no burst: a window has room for its rate',
    path: ['burst'],
  })
  .refine((options) => fixedCost(options.cost) <= capacityOf(options), {
    message: 'expected a cost of at most the burst, otherwise no request can ever pass',
    path: ['cost'],
  })
  .refine((options) => (options.perMessage ?? 1) <= capacityOf(options), {
    message: 'expected at most the burst, otherwise no message can ever pass',
    path: ['perMessage'],
  })
  .refine((options) => options.precision === 'exact' || options.algorithm === 'tokenBucket', {
    message: 'expected `tokenBucket`: only tokens can be reserved',
    path: ['precision'],
  })
  .superRefine(({ key, overrides = {} }, context) => {
    for (const name of Object.keys(overrides)) {
      const expected = nameFault(key, name);
      if (expected === undefined) continue;
      const message = `expected what this key counts somebody under, such as \`${expected}…\``;
      context.addIssue({ code: 'custom', message, path: ['overrides', name] });
    }
  })
  .transform((options) => ({ ...options, burst: options.burst ?? options.rate }));

/** What one request can take at most; anything where each caller has its own limit. */
function capacityOf(options: {
  readonly rate?: number | undefined;
  readonly burst?: number | undefined;
}): number {
  // A number that is too small is told at its own place.
  return Math.max(1, options.burst ?? options.rate ?? Infinity);
}

/** One limit of a route. */
export type RateLimitRule = z.output<typeof rule>;

const coarse = z
  .strictObject({
    key: z
      .enum(['ip', 'principal', 'apiKey', 'global'])
      .default('principal')
      .describe('Always read as `ip`.'),
    ...bucketShape,
    cost: z.int().min(1).default(1).describe('Always read as 1.'),
    perMessage: z.int().min(1).optional().describe('Has no effect here.'),
    onStoreError,
  })
  .transform((options) => ({ ...options, burst: options.burst ?? options.rate }));

/** `floodLimit` of the configuration file: token buckets by address. */
export const floodLimitSchema = z.union([coarse.transform((single) => [single]), z.array(coarse).min(1)]);

/** The parsed flood limit. */
export type FloodRule = z.output<typeof coarse>;

/** The first rule that has the buckets of one before it, of which each would take what the other has left; -1 for none. */
function sharedAgain(rules: readonly RateLimitRule[]): number {
  const seen = new Set<string>();
  return rules.findIndex(({ bucket, key, algorithm, per }) => {
    if (bucket === undefined) return false;
    const counts = algorithm === 'tokenBucket' ? '' : `${algorithm} ${String(per)}`;
    const name = `${bucket} ${keyText(key)} ${counts}`;
    return seen.size === seen.add(name).size;
  });
}

const BOTH_CODES = ['rate-limited', 'limiter-unavailable'] as const;

/** Limits; a request passes when every one of them has room for it. */
export const rateLimitPolicy = definePolicy({
  name: 'rateLimit',
  schema: z
    .union([rule.transform((single) => [single]), z.array(rule).min(1)])
    .superRefine((rules, context) => {
      const at = sharedAgain(rules);
      if (at < 0) return;
      const message = 'expected another bucket than that of an earlier limit: one bucket has one size';
      context.addIssue({ code: 'custom', message, path: [at, 'bucket'] });
    })
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
  describe: (rules) => rules.map(ruleText).join('; '),
  idle: (rules, at) =>
    at.kind === 'field' && rules.some(({ perMessage }) => perMessage !== undefined)
      ? { key: ['perMessage'], reason: 'messages are charged where WebSockets are forwarded' }
      : idleCost(rules, at),
  onFields: 'roots',
});

/** The rule in a few words, for operators. */
function ruleText({ key, rate, per, burst, algorithm, tiers, mode, cost }: RateLimitRule): string {
  const numbers = rate === undefined ? undefined : `${rate}/${durationText(per)}`;
  const more = [
    tiers === undefined ? undefined : 'by tier',
    algorithm === 'tokenBucket' ? burst && `burst ${burst}` : algorithm,
    typeof cost === 'number' ? undefined : 'cost by request',
    mode === 'shadow' ? 'shadow' : undefined,
  ];
  return [keyName(key), numbers, ...more].filter((word) => word !== undefined).join(' ');
}

/** Limits how often a controller or handler may be called. */
export const RateLimit = rateLimitPolicy.decorator;

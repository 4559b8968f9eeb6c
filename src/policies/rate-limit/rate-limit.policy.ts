import { z } from 'zod';
import { durationText } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';
import { bucketShape } from './client-limit.schema.ts';

/** Whose bucket a request takes its tokens from. */
export const RATE_LIMIT_KEYS = ['ip', 'principal', 'apiKey', 'global'] as const;

const rule = z
  .strictObject({
    key: z
      .enum(RATE_LIMIT_KEYS)
      .default('principal')
      .describe(
        'Whose bucket: the client address, the principal (the client address when there is none), the API key, or one bucket for everybody.',
      ),
    ...bucketShape,
    cost: z.int().min(1).default(1).describe('Tokens that one request takes. Default 1.'),
    perMessage: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Tokens that one message of a client takes, where WebSockets are forwarded (`webSocket` of the route). Default none.',
      ),
    precision: z
      .enum(['exact', 'leased'])
      .default('exact')
      .describe(
        'Whether each request is counted in Redis, or in this process out of what it has reserved there. Default exact.',
      ),
    onStoreError: z
      .enum(['local', 'open', 'closed'])
      .default('local')
      .describe(
        'When the store is slow or gone: count in this process, let everything pass, or refuse. Default local.',
      ),
  })
  .refine((options) => options.cost <= Math.max(1, options.burst ?? options.rate), {
    message: 'expected a cost of at most the burst, otherwise no request can ever pass',
    path: ['cost'],
  })
  .refine(({ perMessage = 1, burst, rate }) => perMessage <= Math.max(1, burst ?? rate), {
    message: 'expected at most the burst, otherwise no message can ever pass',
    path: ['perMessage'],
  })
  .transform((options) => ({ ...options, burst: options.burst ?? options.rate }));

/** One token bucket of a route. */
export type RateLimitRule = z.output<typeof rule>;

/** Token buckets; a request passes when every one of them has the tokens. */
export const rateLimitPolicy = definePolicy({
  name: 'rateLimit',
  schema: z
    .union([rule.transform((single) => [single]), z.array(rule).min(1)])
    .describe('One token bucket or a list of them; a request must pass all.'),
  step: 'limit',
  summary:
    'Limits how often a route may be called, by token buckets: `rate` tokens flow in `per` period, a bucket holds `burst` of them, and a request takes `cost`. With a list of buckets a request must pass all of them; one that is refused costs nothing in any.',
  per: 'operation',
  before: 'body',
  refusesWith: ['rate-limited', 'limiter-unavailable'],
  refuses: (rules) =>
    rules.some(({ onStoreError }) => onStoreError === 'closed')
      ? ['rate-limited', 'limiter-unavailable']
      : ['rate-limited'],
  answerFields: {
    RateLimit: {
      description: 'What is left of each limit: `r` requests, until it is full again in `t` seconds.',
    },
    'RateLimit-Policy': { description: 'The limits of the route: `q` requests every `w` seconds.' },
    'X-RateLimit-Limit': { description: 'Capacity of the tightest limit.', type: 'integer' },
    'X-RateLimit-Remaining': { description: 'Requests left of the tightest limit.', type: 'integer' },
    'X-RateLimit-Reset': { description: 'Seconds until the tightest limit is full again.', type: 'integer' },
  },
  describe: (rules) =>
    rules.map(({ key, rate, per, burst }) => `${key} ${rate}/${durationText(per)} burst ${burst}`).join('; '),
  idle: (rules, { kind }) =>
    kind === 'field' && rules.some(({ perMessage }) => perMessage !== undefined)
      ? { key: ['perMessage'], reason: 'messages are charged where WebSockets are forwarded' }
      : undefined,
  onFields: 'roots',
});

/** Limits how often a controller or handler may be called. */
export const RateLimit = rateLimitPolicy.decorator;

import { z } from 'zod';
import { percentage } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';
import { costSchemaOf, fixedCost, idleCost } from '../rate-limit/limit-cost.schema.ts';
import { isTimeZone, QUOTA_WINDOWS } from './quota-calendar.ts';

/** Whose quota it is. */
export const QUOTA_KEYS = ['principal', 'apiKey', 'tenant', 'global'] as const;

const MOST_UNITS = 1e12;
const units = z.int().max(MOST_UNITS);
const share = percentage.refine((fraction) => fraction > 0, 'expected more than 0%');

const rule = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[A-Za-z][\w.-]{0,63}$/,
        'expected letters, digits, `.`, `-` and `_`, 64 at most, a letter first',
      )
      .describe(
        'What it is called. All routes that have a quota of this name draw on the same; one without a name is of its route alone, and called as its window.',
      )
      .optional(),
    key: z
      .enum(QUOTA_KEYS)
      .default('principal')
      .describe(
        'Whose it is: of the principal, of the API key, of the tenant of the principal, or one for everybody. Default principal.',
      ),
    limit: units.min(1).describe('Units that may be used in one window.'),
    byTier: z
      .record(z.string().min(1), z.union([units.min(0), z.literal('unlimited')]))
      .describe(
        'The limit of callers of a tier, by its name, or `unlimited`; where the file has `tiers`, of one of those. Others have `limit`. Default none.',
      )
      .optional(),
    window: z.enum(QUOTA_WINDOWS).describe('The window of the calendar that it is counted in.'),
    timeZone: z
      .string()
      .refine(isTimeZone, 'expected a time zone, such as Europe/Berlin or UTC')
      .default('UTC')
      .describe('The time zone of that calendar, by its name in the IANA database. Default UTC.'),
    mode: z
      .enum(['hard', 'soft', 'shadow'])
      .default('hard')
      .describe(
        'What becomes of a request beyond the limit: it is refused, it passes and is counted, or nobody but the operator notices. Default hard.',
      ),
    warnAt: share
      .prefault('80%')
      .describe('The share from which on answers warn; an event says so once. Default 80%.'),
    carryOver: percentage
      .prefault('0%')
      .describe(
        'The share of the limit that may be carried over to the next window, if it is left. Default 0%.',
      ),
    cost: costSchemaOf({ unit: 'unit', most: MOST_UNITS, room: 'the limit' })
      .default(1)
      .describe('Units that one request takes. Default 1.'),
    perMessage: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Units that one message of a client takes, where WebSockets are forwarded (`webSocket` of the route). Default none.',
      ),
    giveBack: z
      .enum(['never', 'faults'])
      .default('never')
      .describe(
        'Whether units are given back when the gateway answers with an error of its own from 500 on, but for `deadline-exceeded`. Default never.',
      ),
    onStoreError: z
      .enum(['local', 'open', 'closed'])
      .default('local')
      .describe(
        'When Redis is slow or gone: go on in this process with its part of what was left, let everything pass, or refuse. Default local.',
      ),
    withoutRedis: z
      .enum(['fault', 'memory'])
      .default('fault')
      .describe(
        'What it means that the gateway has no Redis at all: a fault of the configuration, or that each process counts for itself and forgets when it ends. Default fault.',
      ),
  })
  .refine(({ cost, limit }) => fixedCost(cost) <= limit, {
    message: 'expected a cost of at most the limit, otherwise no request can ever pass',
    path: ['cost'],
  })
  .refine(({ perMessage = 1, limit }) => perMessage <= limit, {
    message: 'expected at most the limit, otherwise no message can ever pass',
    path: ['perMessage'],
  })
  .superRefine(({ cost, perMessage = 1, byTier = {} }, context) => {
    const least = Math.max(fixedCost(cost), perMessage);
    for (const [tier, limit] of Object.entries(byTier)) {
      if (limit === 'unlimited' || limit === 0 || limit >= least) continue;
      const message = `expected 0, or at least the cost of ${String(least)}: nothing of that tier could ever pass`;
      context.addIssue({ code: 'custom', message, path: ['byTier', tier] });
    }
  });

/** One quota of a route. */
export type QuotaRule = z.output<typeof rule>;

/** Quotas by the calendar; a request passes when every hard one of them has room. */
export const quotaPolicy = definePolicy({
  name: 'quota',
  schema: z
    .union([rule.transform((single) => [single]), z.array(rule).min(1).max(16)])
    .refine((rules) => new Set(rules.map(({ name }) => name ?? {})).size === rules.length, {
      message: 'expected quotas of different names',
    })
    .describe('One quota or a list of them; a request must fit into all.'),
  summary:
    'Limits how much callers may use in an hour, a day or a month of the calendar of a time zone. With a list of quotas a request must fit into all; one that is refused is counted in none.',
  per: 'operation',
  before: 'body',
  guards: true,
  refusesWith: ['quota-exceeded', 'quota-unavailable'],
  refuses: (rules) => [
    ...(rules.some(({ mode }) => mode === 'hard') ? (['quota-exceeded'] as const) : []),
    ...(rules.some(isClosed) ? (['quota-unavailable'] as const) : []),
  ],
  answerFields: {
    RateLimit: {
      description:
        'What is left of each limit: `r` requests or units, until it is full again, or its window ends, in `t` seconds.',
    },
    'RateLimit-Policy': {
      description: 'The limits of the route: `q` requests or units every `w` seconds, for quotas nominally.',
    },
    'Quota-Warning': {
      description: 'The quotas of which little or nothing is left: `r` units for `t` seconds.',
    },
  },
  describe: (rules) => rules.map(describeRule).join('; '),
  idle: (rules, at) =>
    at.kind === 'field' && rules.some(({ perMessage }) => perMessage !== undefined)
      ? { key: ['perMessage'], reason: 'messages are charged where WebSockets are forwarded' }
      : idleCost(rules, at),
});

function isClosed({ mode, onStoreError }: QuotaRule): boolean {
  return mode !== 'shadow' && onStoreError === 'closed';
}

function describeRule({ name = '', key, limit, window, timeZone, mode }: QuotaRule): string {
  const how = mode === 'hard' ? '' : ` ${mode}`;
  return `${name} ${key} ${limit}/${window} in ${timeZone}${how}`.trimStart();
}

/** Limits how much callers may use of a controller or handler, by the calendar. */
export const Quota = quotaPolicy.decorator;

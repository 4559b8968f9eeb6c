import { z } from 'zod';
import { QUEUE_ORDERS } from '../../exchange/fair-queue.ts';
import { percentage, timerDuration } from '../../config/units.ts';
import { TOKEN } from '../../config/field-name.ts';
import { variableName } from '../../config/variable-name.ts';
import { adaptiveSchema } from '../adaptive/adaptive-limit.schema.ts';
import { labelsSchema } from '../target.schema.ts';

const fieldName = z.string().regex(TOKEN, 'expected a name of visible ASCII without separators').max(128);

const hashKey = z
  .union([
    z.enum(['principal', 'address']),
    z.strictObject({ header: fieldName.toLowerCase().describe('Name of a header field.') }),
    z.strictObject({ cookie: fieldName.describe('Name of a cookie.') }),
    z.strictObject({ parameter: z.string().min(1).describe('Name of a path parameter of the route.') }),
    z.strictObject({ query: z.string().min(1).describe('Name of a parameter of the query.') }),
  ])
  .describe(
    'What requests are told apart by: `principal`, `address` of the client, or one value of theirs; those without it go by leastRequests.',
  );

const sticky = z
  .strictObject({
    secretEnv: variableName
      .optional()
      .describe('Environment variable with the secret that cookies are signed with; 32 characters or more.'),
    secretFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with the secret, or with several, one a line: the first signs, all of them are believed.',
      ),
    cookie: fieldName
      .optional()
      .describe('Name of the cookie. Default `sticky-` and the name of the upstream.'),
    maxAge: timerDuration
      .refine((ms) => ms >= 1000, 'expected at least 1s')
      .default(86_400_000)
      .describe('How long a client stays with its target; renewed at half of it. Default 1d.'),
    path: z
      .string()
      .regex(/^\/[!-:<-~]*$/, 'expected a path, such as /api')
      .default('/')
      .describe('Path of the cookie. Default `/`.'),
    sameSite: z
      .enum(['strict', 'lax', 'none'])
      .default('lax')
      .describe('SameSite of the cookie. Default lax.'),
    secure: z
      .union([z.boolean(), z.literal('auto')])
      .default('auto')
      .describe('Whether the cookie is Secure; `auto`: where the client came over TLS. Default auto.'),
    httpOnly: z.boolean().default(true).describe('Whether scripts cannot read it. Default true.'),
  })
  .superRefine(({ secretEnv, secretFile, sameSite, secure }, context) => {
    if ((secretEnv === undefined) === (secretFile === undefined)) {
      const message = 'expected one of secretEnv and secretFile';
      context.addIssue({ code: 'custom', path: secretEnv === undefined ? [] : ['secretFile'], message });
    }
    if (sameSite === 'none' && secure !== true) {
      const message =
        'expected `secure: true` beside `sameSite: none`, without which browsers drop the cookie';
      context.addIssue({ code: 'custom', path: ['sameSite'], message });
    }
  });

/** Which targets: a key of upstreams, and of routes. */
export const subsetKeys = {
  subset: labelsSchema
    .optional()
    .describe('Labels that a target must have to be chosen, such as `track: stable`. Default: all targets.'),
  subsetFallback: z
    .enum(['none', 'any'])
    .optional()
    .describe(
      'What holds while no target of the subset is available: `none` answers 503, `any` chooses among all targets. Default none.',
    ),
};

/** How the targets of an upstream are chosen; keys of an upstream. */
export const balancingKeys = {
  balancing: z
    .union([z.enum(['roundRobin', 'leastRequests', 'ewma']), z.strictObject({ consistentHash: hashKey })])
    .default('roundRobin')
    .describe('How a target is chosen. Default roundRobin.'),
  sticky: sticky
    .optional()
    .describe('Keeps a client with its target, by a signed cookie. Default: no such cookie.'),
  ...subsetKeys,
  zone: z
    .strictObject({
      local: z.string().min(1).describe('Where the gateway stands; `${ZONE}` takes it from the environment.'),
    })
    .optional()
    .describe(
      'Prefers targets of the zone of the gateway, as far as they can bear it. Default: zones mean nothing.',
    ),
  slowStart: timerDuration
    .optional()
    .describe(
      'How long a new or recovered target takes to get its full share, from a tenth on. Default: none.',
    ),
  panicThreshold: percentage
    .default(0.25)
    .describe(
      'Below this share of healthy targets of one priority, what probes and ejections say of them is not believed; `0%`: always believed. Default 25%.',
    ),
  maxRequests: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      'Calls under way at each target; when all are full, requests wait for their turn, up to `timeouts.queue`. Default: no limit but connections.',
    ),
  maxInFlight: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      'Calls under way at all targets together; beyond, requests wait for their turn, up to `timeouts.queue`. Default: no limit.',
    ),
  adaptiveConcurrency: adaptiveSchema,
  maxQueued: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1024)
    .describe(
      'Requests that may wait because all targets have `maxRequests`, or what their adaptive limits allow, or because `maxInFlight` is reached; others get 503 at once. Default 1024.',
    ),
  queueOrder: z
    .enum(QUEUE_ORDERS)
    .default('fifo')
    .describe(
      'Which of the requests of a caller that wait has the next turn: the first (`fifo`), or with `adaptive` the last once somebody has waited for `timeouts.queue` without a pause. Default fifo.',
    ),
};

const balancingSchema = z.object(balancingKeys);

/** The parsed keys. */
export type BalancingKeys = z.output<typeof balancingSchema>;
/** How a target is chosen. */
export type BalancingOptions = BalancingKeys['balancing'];
/** What requests are told apart by. */
export type HashKeyOptions = z.output<typeof hashKey>;
/** The cookie that keeps a client with its target. */
export type StickyOptions = z.output<typeof sticky>;

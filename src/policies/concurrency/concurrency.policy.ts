import { z } from 'zod';
import { QUEUE_ORDERS } from '../../exchange/fair-queue.ts';
import { durationText, timerDuration } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';

/** Whose requests a rule counts together; those of a narrow one first, so that nobody keeps places of others while waiting. */
export const CONCURRENCY_KEYS = ['principal', 'route'] as const;

const MOST = 1_000_000;
/** Whoever finds the queue full has the longest line looked for. */
const MOST_WAITING = 10_000;
const LONGEST_WAIT_MS = 60_000;

const rule = z.strictObject({
  key: z
    .enum(CONCURRENCY_KEYS)
    .default('route')
    .describe(
      'Which requests count together: all of the `route`, or those of one `principal` (of one client address where there is none). Default route.',
    ),
  scope: z
    .enum(['route', 'gateway'])
    .default('route')
    .describe(
      'Whether the route counts for itself, or together with all routes whose rule says `gateway`. Default route.',
    ),
  max: z.int().min(1).max(MOST).describe('How many may be under way in this process.'),
  queue: z
    .int()
    .min(0)
    .max(MOST_WAITING)
    .optional()
    .describe('How many more may wait for a place; others are refused at once. Default as many as `max`.'),
  wait: timerDuration
    .refine((ms) => ms <= LONGEST_WAIT_MS, 'expected at most 1m')
    .default(1000)
    .describe('How long they may wait. Default 1s.'),
  order: z
    .enum(QUEUE_ORDERS)
    .default('fifo')
    .describe(
      'Which of the requests of a caller has the next turn: the first (`fifo`), or with `adaptive` the last once somebody has waited for as long as one may without a pause. Default fifo.',
    ),
});

const rules = z
  .union([rule.transform((single) => [single]), z.array(rule).min(1)])
  .superRefine((all, context) => {
    const seen = new Set<string>();
    for (const [index, { key, scope }] of all.entries()) {
      if (seen.has(`${key} ${scope}`)) {
        const message = `expected one rule of key ${key} and scope ${scope}, not two`;
        context.addIssue({ code: 'custom', path: [index, 'key'], message });
      }
      seen.add(`${key} ${scope}`);
    }
  })
  .transform((all) => all.map((one) => ({ ...one, queue: one.queue ?? Math.min(one.max, MOST_WAITING) })))
  .describe('One limit of requests under way, or several; a request needs a place of each.');

/** How many requests may be under way at once. */
export const concurrencyPolicy = definePolicy({
  name: 'concurrency',
  schema: rules,
  summary:
    'Limits how many requests are under way at once: of a route, or of each principal. What comes beyond waits for its turn, callers in turn, so many at most and none for longer than a time; others are refused with 503.',
  // At a socket of GraphQL each operation is a request, and one that only listens has none under way.
  per: { proxy: 'operation', handler: 'answer' },
  // A place is not for who is still sending: a body that trickles would hold it.
  before: 'action',
  refusesWith: ['concurrency-limited'],
  describe: (all) =>
    all
      .map(
        ({ key, scope, max, queue, wait }) =>
          `${key}${scope === 'gateway' ? ' of all routes' : ''} ${max}, ${queue} wait up to ${durationText(wait)}`,
      )
      .join('; '),
});

/** The limits of a route. */
export type ConcurrencyRule = z.output<typeof rules>[number];

/** Limits how many requests of a controller or handler are under way at once. */
export const Concurrency = concurrencyPolicy.decorator;

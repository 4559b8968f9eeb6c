import { z } from 'zod';
import { size, timerDuration } from '../../config/units.ts';

const MAX_ELEMENTS = 1_000_000;
/** One answer asks for no more; who waits for whom is found out when the route is compiled. */
const MOST_CALLS = 100;

const MAX_ENTRIES = 1000;
const MAX_CACHE_BYTES = 16 * 2 ** 20;

const cache = z
  .strictObject({
    ttl: timerDuration
      .refine((ms) => ms > 0, 'expected more than 0ms')
      .describe('How long a value is fresh.'),
    scope: z
      .enum(['principal', 'public'])
      .default('principal')
      .describe('Who shares values; `public` asks without the identity of the caller. Default principal.'),
    staleWhileRevalidate: timerDuration
      .default(0)
      .describe('How long after that it is still served while a new one is read. Default 0s.'),
    staleIfError: timerDuration
      .default(0)
      .describe('How long after `ttl` it stands in when the upstream fails. Default 0s.'),
    maxEntries: z.int().min(1).default(MAX_ENTRIES).describe('Most values, in this process. Default 1000.'),
    maxBytes: size
      .refine((bytes) => bytes > 0, 'expected more than 0B')
      .default(MAX_CACHE_BYTES)
      .describe('Most memory for the values, estimated. Default 16MiB.'),
  })
  .describe(
    'Keeps values of the call across requests, in this process, whatever the upstream says. Default: none.',
  );

const share = z
  .enum(['principal', 'public'])
  .describe(
    'Equal calls in flight share one run, across requests of the same principal or of everybody; `public` asks without the identity of the caller. `cache` implies it. Default: none.',
  );

const fieldPath = z
  .string()
  .regex(/^[A-Za-z0-9_$@-]+(\.[A-Za-z0-9_$@-]+)*$/, 'expected names between dots, such as data.items');

const MAX_IDS = 50;

const method = z
  .string()
  .regex(
    /^[A-Za-z_][\w.]*\/[A-Za-z_]\w*$/,
    'expected a service and a method, such as shop.v1.Orders/GetOrder',
  );

const batch = z
  .strictObject({
    path: z
      .string()
      .optional()
      .describe(
        'Path and query of a GET that reads many, with {ids} in its query, and the values of `path` but the id.',
      ),
    grpc: method
      .optional()
      .describe('Unary method that reads many instead, such as shop.v1.Orders/BatchGetOrders.'),
    ids: z.string().optional().describe('Field of its message that takes the ids; for `grpc`.'),
    by: z.string().optional().describe('Field of `input` that is the id. Default: the only one; for `grpc`.'),
    items: fieldPath
      .optional()
      .describe(
        'Where the answer has the list, such as data.items; a field for `grpc`. Default: the answer is the list.',
      ),
    key: fieldPath.describe('Where an element has its id, such as id; a field for `grpc`.'),
    as: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Field in which the answer for one id has what is an element here. Default: it is the element.',
      ),
    max: z
      .int()
      .min(1)
      .default(MAX_IDS)
      .describe('Most ids of one request; more become several. Default 50.'),
  })
  .describe(
    'An operation that reads many: calls of the route that declare the same and whose ids are known at the same time are one request. Default: none.',
  );

const callName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'expected letters, digits and underscores, starting with a letter');

const call = z
  .strictObject({
    upstream: z.string().describe('Name of the upstream that is called.'),
    path: z
      .string()
      .optional()
      .describe(
        'Path and query of a GET, with {name} for values: {id} of the path, {query.x}, {header.x}, {principal.id}, {call.field}.',
      ),
    grpc: method
      .optional()
      .describe('Unary method that is called instead of a path, such as shop.v1.Orders/GetOrder.'),
    input: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Message for `grpc` in proto3 JSON; its texts name values as those of `response` do.'),
    required: z
      .boolean()
      .default(false)
      .describe(
        'Whether the answer is worth nothing without it: its problem becomes the answer. Default false.',
      ),
    budget: timerDuration
      .refine((ms) => ms > 0, 'expected more than 0ms')
      .optional()
      .describe('Longest time it may take, what it waits for included. Default: the deadline.'),
    fallback: z.unknown().optional().describe('What stands in when it fails. Default null.'),
    share: share.optional(),
    cache: cache.optional(),
    batch: batch.optional(),
  })
  .refine((one) => one.share === undefined || one.cache === undefined, {
    path: ['share'],
    error: 'expected no `share` beside `cache`, which implies it',
  });

/** The `aggregate:` section of a route. */
export const aggregateSchema = z
  .strictObject({
    calls: z
      .record(callName, call)
      .refine((calls) => Object.keys(calls).length > 0, 'expected at least one call')
      .refine((calls) => Object.keys(calls).length <= MOST_CALLS, `expected at most ${MOST_CALLS} calls`)
      .describe('Calls by name. They run in parallel; one that names another waits for it.'),
    response: z
      .record(z.string(), z.unknown())
      .optional()
      .describe(
        'Shape of the answer. Texts name values; { from, pick, omit, rename }, { merge }, { each, as }. Default: all answers by name.',
      ),
    maxElements: z
      .int()
      .min(1)
      .max(MAX_ELEMENTS)
      .default(10_000)
      .describe(
        'Most elements of lists that `each`, `pick`, `omit` and `rename` map for one answer. Default 10000.',
      ),
    maxAnswer: size
      .refine((bytes) => bytes > 0, 'expected more than 0B')
      .default(4 * 1024 * 1024)
      .describe('Largest composed answer. Default 4MiB.'),
  })
  .describe('Answers with the composed answers of several calls.');

/** The parsed `aggregate:` section of a route. */
export type AggregateOptions = z.output<typeof aggregateSchema>;

/** One parsed call of it. */
export type AggregateCallOptions = AggregateOptions['calls'][string];

/** How runs of one call are merged and kept. */
export type ReuseKeys = Pick<AggregateCallOptions, 'share' | 'cache' | 'batch'>;

/** The parsed `batch:` of a call. */
export type BatchKeys = NonNullable<AggregateCallOptions['batch']>;

import { z } from 'zod';
import { percentage, timerDuration } from '../config/units.ts';

/** How a connection, or the wait for an answer, can fail before an answer has begun. */
const FAULTS = ['connect', 'reset', 'timeout'] as const;

/** Statuses of gRPC that another try can do something about. */
const GRPC_STATUSES = [
  'CANCELLED',
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'RESOURCE_EXHAUSTED',
  'ABORTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
] as const;

/** Statuses below 500 that another try can do something about; of those above all but what is not implemented. */
const CLIENT_STATUSES: ReadonlySet<number> = new Set([404, 408, 409, 421, 425, 429]);
const NOT_IMPLEMENTED: ReadonlySet<number> = new Set([501, 505]);

type GrpcStatus = (typeof GRPC_STATUSES)[number];

/** What a failed attempt is called here; `queue` is that no connection became free, and nothing was sent. */
export type RetryCause = (typeof FAULTS)[number] | GrpcStatus | number | 'queue';

const status = z
  .int()
  .refine(
    (code) => CLIENT_STATUSES.has(code) || (code >= 500 && code < 600 && !NOT_IMPLEMENTED.has(code)),
    'expected a status that another try can change: 404, 408, 409, 421, 425, 429, or one of 5xx but 501 and 505',
  );

/** What upstreams and routes say alike. */
const common = {
  attempts: z.int().min(1).max(10),
  on: z
    .array(z.union([z.enum(FAULTS), z.enum(GRPC_STATUSES), status]))
    .optional()
    .describe(
      'What is tried again: connect, reset (or a head that cannot be read), timeout (no head within `firstByte`) and statuses; for gRPC connect and names of statuses. Default connect, reset, 502, 503, 504; for gRPC connect, UNAVAILABLE.',
    ),
  maxWait: timerDuration,
  perTry: timerDuration
    .optional()
    .describe(
      'Longest time that each try may take until its answer can be used, whatever `firstByte` says: of forwarded requests until its head, of calls until it is read. One that takes longer is tried again as `timeout` (gRPC: DEADLINE_EXCEEDED), which `on` names by default then. Default: no such limit.',
    ),
};

const ATTEMPTS = 'Tries in all, the first included.';
const MAX_WAIT = 'Longest wait before a try, and so the longest Retry-After that is waited for.';

/** The `retry:` section of an upstream. */
export const retrySchema = z.strictObject({
  attempts: common.attempts.default(2).describe(`${ATTEMPTS} Default 2.`),
  on: common.on,
  maxWait: common.maxWait.default(5000).describe(`${MAX_WAIT} Default 5s.`),
  perTry: common.perTry,
  budget: percentage
    .default(0.2)
    .describe(
      'Share of the requests of the last ten seconds that may be tried again, and three. Default 20%.',
    ),
});

/** The `retry:` section of a route; what it does not say is the upstream's. */
export const routeRetrySchema = z
  .strictObject({
    attempts: common.attempts.optional().describe(`${ATTEMPTS} Default: what the upstream says.`),
    on: common.on,
    maxWait: common.maxWait.optional().describe(`${MAX_WAIT} Default: what the upstream says.`),
    perTry: common.perTry,
  })
  .describe('When a request of this route is tried again; what is missing is the upstream’s to say.');

/** The parsed options of an upstream. */
export type RetryOptions = z.output<typeof retrySchema>;
/** The parsed options of a route. */
export type RouteRetryOptions = z.output<typeof routeRetrySchema>;

/** When a request is tried again, compiled. */
export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly on: ReadonlySet<RetryCause>;
  /** In ms. */
  readonly maxWait: number;
  /** How long each try may take, in ms; undefined for as long as all of them. */
  readonly perTry: number | undefined;
}

const DEFAULT_ON = {
  http: ['connect', 'reset', 502, 503, 504],
  grpc: ['connect', 'UNAVAILABLE'],
} as const satisfies Record<string, readonly RetryCause[]>;

/** What is tried again by default as well, when it is said how long a try may take. */
const SLOW = { http: 'timeout', grpc: 'DEADLINE_EXCEEDED' } as const satisfies Record<string, RetryCause>;

/** Compiles what an upstream says, and a route that leads there, which is narrower. */
export function compileRetry(
  protocol: 'http' | 'grpc',
  upstream: RetryOptions,
  route: RouteRetryOptions = {},
): RetryPolicy {
  const perTry = route.perTry ?? upstream.perTry;
  const usual = perTry === undefined ? DEFAULT_ON[protocol] : [...DEFAULT_ON[protocol], SLOW[protocol]];
  const on: readonly RetryCause[] = route.on ?? upstream.on ?? usual;
  return Object.freeze({
    attempts: route.attempts ?? upstream.attempts,
    // Whom nobody was sent to may always be left for another one.
    on: new Set<RetryCause>([...on, 'queue']),
    maxWait: route.maxWait ?? upstream.maxWait,
    perTry,
  });
}

/**
 * Says which of the causes make no sense for a protocol.
 *
 * @returns their index in `on`, and what is wrong with them.
 */
export function retryFaults(
  protocol: 'http' | 'grpc',
  on: RetryOptions['on'] = [],
): readonly { readonly index: number; readonly message: string }[] {
  return on.flatMap((cause, index) => {
    const message = protocol === 'grpc' ? notOfGrpc(cause) : notOfHttp(cause);
    return message === undefined ? [] : [{ index, message }];
  });
}

function notOfGrpc(cause: RetryCause): string | undefined {
  if (cause === 'reset') return instead('UNAVAILABLE');
  if (cause === 'timeout') return instead('DEADLINE_EXCEEDED');
  return typeof cause === 'number'
    ? 'expected the name of a gRPC status, because the protocol is grpc'
    : undefined;
}

function instead(name: GrpcStatus): string {
  return `expected ${name} in its place, because the protocol is grpc`;
}

function notOfHttp(cause: RetryCause): string | undefined {
  const isKnown = typeof cause === 'number' || (FAULTS as readonly unknown[]).includes(cause);
  return isKnown ? undefined : 'expected the number of a status, because the protocol is http';
}

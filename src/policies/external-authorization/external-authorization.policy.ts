import { z } from 'zod';
import { TOKEN } from '../../config/field-name.ts';
import { duration } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';
import { isNever } from './field-lists.ts';

const fieldName = z.string().regex(TOKEN, 'expected the name of a header field').toLowerCase();
const asked = z.array(fieldName).max(50);
const taken = z
  .array(
    fieldName.refine(
      (name) => !isNever(name),
      'expected a field that somebody else may say: this one frames messages, or is for the gateway to say',
    ),
  )
  .max(50)
  .default([]);

const path = z
  .string()
  .regex(/^\/[!$%&'()*+,./0-9:;=?@A-Z_a-z~-]*$/, 'expected a path, percent-encoded, with or without a query');

const requestHeaders = asked
  .default(['authorization', 'cookie'])
  .describe('Header fields of the request that are sent along. Default authorization and cookie.');
const headers = taken.describe(
  'Header fields of its answer that the service behind gets; the same of the client are removed. Default none.',
);
const refusalHeaders = taken.describe(
  'Header fields of its refusal that the client gets, with `passRefusal`. Default none.',
);
const passRefusal = z
  .boolean()
  .default(false)
  .describe('Whether its refusal is what the client hears, status and text; else 403. Default false.');

const opa = z.strictObject({
  path: path.describe('Path of the decision: /v1/data/gateway/allow.'),
  requestHeaders: asked
    .default([])
    .describe('Header fields of the request that are part of the input. Default none.'),
});
const forward = z.strictObject({
  path: path.default('/').describe('Path that is asked. Default /.'),
  requestHeaders,
  headers,
  passRefusal,
  refusalHeaders,
});
const extAuthz = z.strictObject({
  context: z
    .record(z.string(), z.string())
    .default({})
    .describe('What the service is told beside, as context_extensions. Default nothing.'),
  requestHeaders,
  headers,
  passRefusal,
  refusalHeaders,
});

const KINDS = ['opa', 'forward', 'extAuthz'] as const;

/** Kinds of routes that send no request of a client on. */
const TELL_NOBODY: ReadonlySet<string> = new Set(['handler', 'redirect', 'respond', 'aggregate']);

/** Asks somebody else whether a request may go on. */
export const externalAuthorizationPolicy = definePolicy({
  name: 'externalAuthorization',
  schema: z
    .strictObject({
      upstream: z.string().min(1).describe('Name of the upstream that is asked.'),
      opa: opa.optional().describe('It is asked as an Open Policy Agent: by its data API.'),
      forward: forward.optional().describe('It is asked with GET and what the request says; 2xx lets it in.'),
      extAuthz: extAuthz
        .optional()
        .describe('It is asked by Envoy’s external authorization protocol, over gRPC.'),
      timeout: duration
        .refine((ms) => ms >= 1 && ms <= 60_000, 'expected a duration between 1ms and 1m')
        .prefault('200ms')
        .describe('How long it is waited for, all attempts together. Default 200ms.'),
      cache: z
        .strictObject({
          ttl: duration
            .refine((ms) => ms >= 1 && ms <= 3_600_000, 'expected a duration between 1ms and 1h')
            .describe('How long an answer holds for the same question.'),
          max: z.int().min(1).max(100_000).default(10_000).describe('Answers that are kept. Default 10000.'),
        })
        .optional()
        .describe('Keeps answers for equal questions. Default: each request is asked about.'),
      onFault: z
        .enum(['deny', 'allow'])
        .default('deny')
        .describe(
          'What becomes of requests while nobody can be asked: `deny` (503) or `allow`. Default deny.',
        ),
      mode: z
        .enum(['enforce', 'shadow'])
        .default('enforce')
        .describe(
          'What becomes of who is refused: `enforce` refuses, `shadow` lets pass, and logs and counts it. Default enforce.',
        ),
    })
    .refine(
      (one) => KINDS.filter((kind) => one[kind] !== undefined).length === 1,
      `expected exactly one of ${KINDS.join(', ')}`,
    )
    .describe('Who is asked whether a request may go on, and how.'),
  step: 'ask',
  summary:
    'Asks a service whether a request may go on: an Open Policy Agent, a service that answers 2xx (forward-auth), or one that speaks Envoy’s external authorization protocol. The service is an upstream like others, with its targets, breaker and retries.',
  // An operation meets it again, because its socket can outlive what it was opened with.
  per: 'operation',
  before: 'body',
  guards: true,
  refusesWith: ['permission-denied', 'authorization-unavailable'],
  refuses: ({ mode, onFault }) => [
    ...(mode === 'enforce' ? (['permission-denied'] as const) : []),
    ...(mode === 'enforce' && onFault === 'deny' ? (['authorization-unavailable'] as const) : []),
  ],
  idle: (one, { kind }) => {
    const asked = (['forward', 'extAuthz'] as const).find((name) => (one[name]?.headers.length ?? 0) > 0);
    if (asked === undefined || !TELL_NOBODY.has(kind)) return undefined;
    const reason = 'only requests that are forwarded take such fields to a service';
    return { key: [asked, 'headers'], reason, isHarmless: true };
  },
  describe: (one) =>
    [
      `${KINDS.find((kind) => one[kind] !== undefined) ?? ''} ${one.upstream} ${one.timeout}ms`,
      ...(one.cache === undefined ? [] : [`kept ${one.cache.ttl}ms`]),
      ...(one.onFault === 'allow' ? ['fails open'] : []),
      ...(one.mode === 'shadow' ? ['shadow'] : []),
    ].join(', '),
});

/** Asks somebody else whether a controller or handler may be called. */
export const ExternalAuthorization = externalAuthorizationPolicy.decorator;

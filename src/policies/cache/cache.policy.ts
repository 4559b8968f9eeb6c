import { z } from 'zod';
import { duration, durationText, size, timerDuration } from '../../config/units.ts';
import { GRAPHQL_HTTP, unfitFor } from '../doors.ts';
import { definePolicy } from '../policy.ts';

const MAX_BODY = 256 * 1024;
const COLLAPSE_MS = 5000;
const TARGETED_FIELDS = ['Gatehouse-Cache-Control', 'CDN-Cache-Control'];
const FIELD_SAYS = 'a field says how long it is good, and for whom; clients keep the answer';
/** Who calls is always part of the key. */
const NEVER_IGNORED = /^(?:authorization|cookie|proxy-authorization)$/i;

const fieldName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header field');

/** Stored answers for safe requests; partitioned by principal unless said otherwise. */
export const cachePolicy = definePolicy({
  name: 'cache',
  schema: z.strictObject({
    ttl: duration.describe('How long an answer is fresh when the upstream does not say.'),
    negativeTtl: duration
      .optional()
      .describe(
        'The same for answers of 404, 405, 410, 414 and 501. Default: `ttl`, and no longer than ten seconds.',
      ),
    staleWhileRevalidate: duration
      .default(0)
      .describe(
        'How long after that a stored answer is given while the upstream is asked in the background; the `stale-while-revalidate` of an answer comes first. Default: not at all.',
      ),
    staleIfError: duration
      .default(0)
      .describe(
        'How long after it was fresh a stored answer may stand in when the upstream fails; the `stale-if-error` of an answer comes first. Default: not at all.',
      ),
    scope: z
      .enum(['principal', 'public'])
      .default('principal')
      .describe(
        'Whether answers are shared between principals. `public` also needs the answer to allow it. Default principal.',
      ),
    store: z
      .enum(['memory', 'shared'])
      .default('memory')
      .describe(
        'Where answers are kept: in each process, or besides in Redis for all replicas, where there is one. Default memory.',
      ),
    maxBody: size.default(MAX_BODY).describe('Largest body that is stored. Default 256KiB.'),
    collapse: z
      .union([z.literal('off'), timerDuration])
      .default(COLLAPSE_MS)
      .describe(
        'How long requests for the same answer wait for the first of them, whose answer they share if it may be; `off` has each ask by itself. Default 5s.',
      ),
    compress: z
      .enum(['auto', 'on', 'off'])
      .default('auto')
      .describe(
        'Whether bodies of 1 KiB to 1 MiB that can be compressed are kept so: `auto` where the route has `compression`, whose clients get them as they are kept; `on` also elsewhere, to save room, where each hit decodes. Default auto.',
      ),
    ignoreHeaders: z
      .array(fieldName.refine((name) => !NEVER_IGNORED.test(name), 'a credential is never ignored'))
      .default([])
      .describe(
        'Header fields of requests that the upstream gets, and that no answer depends on unless its `Vary` says so. Default: none.',
      ),
    targetedFields: z
      .array(fieldName)
      .default(TARGETED_FIELDS)
      .describe(
        'Fields of answers that are meant for this cache (RFC 9213): the first one that is there takes the place of `Cache-Control` and `Expires`. Default `Gatehouse-Cache-Control`, `CDN-Cache-Control`.',
      ),
  }),
  summary:
    'Stores answers to GET and serves them to GET and HEAD, as a shared cache of HTTP (RFC 9111) that knows who calls. For routes of the file, controllers and views; kept in this process, and in Redis if wanted.',
  per: 'answer',
  before: 'body',
  refusesWith: ['not-cached'],
  answerFields: {
    'Cache-Status': {
      description:
        'What the cache did (RFC 9211): `gatehouse; hit; ttl=12`, `gatehouse; fwd=uri-miss; stored`.',
    },
    'X-Cache': {
      description:
        'On a stored answer: `HIT`, `STALE`, or `REVALIDATED` once the service has said that it holds.',
    },
    Age: {
      description: 'On a stored answer: how old it is, in seconds (RFC 9111 section 5.1).',
      type: 'integer',
    },
  },
  ownAnswers: {
    304: {
      description: 'The client has the answer already, as it says by `If-None-Match` or `If-Modified-Since`.',
      methods: new Set(['GET', 'HEAD']),
    },
  },
  describe: ({ ttl, scope }) => `${scope} ${durationText(ttl)}`,
  onFields: 'all',
  idle: (options, { kind, methods, sendsEvents }) => {
    const idle = kind === 'field' ? idleOnField(options) : undefined;
    if (idle !== undefined) return { key: [idle], reason: FIELD_SAYS };
    if (sendsEvents === true) return { key: [], reason: 'a stream of events has no end, and is never kept' };
    // A translated route has the methods of its schema, of which some are read.
    const isRead = kind === 'translate' || methods.length === 0 || methods.includes('GET');
    return isRead ? undefined : { key: [], reason: 'only answers to GET are kept, and no GET is taken' };
  },
  unfit: {
    viewStream: 'a view section by section is said once, as its sections arrive, and is not kept',
    ...unfitFor(
      [...GRAPHQL_HTTP, 'graphqlSocket'],
      'an answer of GraphQL is as good as its fields, which say so by `@Cache()`',
    ),
    passedGrpc: 'every call is a POST, whose answers nobody keeps',
    ...unfitFor(['translatedSocket', 'forwardedSocket'], 'a socket is no answer that could be kept'),
  },
});

/** What fields of GraphQL have no use for. */
interface AnswerOptions {
  readonly negativeTtl?: number | undefined;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly maxBody: number;
  readonly store: 'memory' | 'shared';
  readonly collapse: number | 'off';
  readonly compress: 'auto' | 'on' | 'off';
  readonly ignoreHeaders: readonly string[];
  readonly targetedFields: readonly string[];
}

function idleOnField(options: AnswerOptions): string | undefined {
  if (options.staleIfError > 0) return 'staleIfError';
  if (options.maxBody !== MAX_BODY) return 'maxBody';
  if (options.store === 'shared') return 'store';
  if (options.staleWhileRevalidate > 0) return 'staleWhileRevalidate';
  if (options.negativeTtl !== undefined) return 'negativeTtl';
  if (options.collapse !== COLLAPSE_MS) return 'collapse';
  if (options.compress !== 'auto') return 'compress';
  if (options.ignoreHeaders.length > 0) return 'ignoreHeaders';
  return options.targetedFields.join() === TARGETED_FIELDS.join() ? undefined : 'targetedFields';
}

/** Stores the answers of a controller or handler; on a field of GraphQL it says how long the field may be kept. */
export const Cache = cachePolicy.decorator;

import { z } from 'zod';
import { duration, durationText, size } from '../../config/units.ts';
import { GRAPHQL_HTTP, unfitFor } from '../doors.ts';
import { definePolicy } from '../policy.ts';

const MAX_BODY = 256 * 1024;
const FIELD_SAYS = 'a field says how long it is good, and for whom; clients keep the answer';

/** Stored answers for safe requests; partitioned by principal unless said otherwise. */
export const cachePolicy = definePolicy({
  name: 'cache',
  schema: z.strictObject({
    ttl: duration.describe('How long an answer is fresh when the upstream does not say.'),
    staleIfError: duration
      .default(0)
      .describe(
        'How long after that a stored answer may stand in when the upstream fails. Default: not at all.',
      ),
    scope: z
      .enum(['principal', 'public'])
      .default('principal')
      .describe('Whether answers are shared between principals. `public` also needs the answer to allow it.'),
    maxBody: size.default(MAX_BODY).describe('Largest body that is stored. Default 256KiB.'),
  }),
  summary:
    'Stores answers to GET and serves them to GET and HEAD. For proxied routes; kept in this process, 64 MiB for all routes together, the least recently used first to go.',
  per: 'answer',
  before: 'body',
  refusesWith: [],
  describe: ({ ttl, scope }) => `${scope} ${durationText(ttl)}`,
  onFields: 'all',
  idle: ({ staleIfError, maxBody }, { kind, methods }) => {
    if (kind === 'field' && staleIfError > 0) return { key: ['staleIfError'], reason: FIELD_SAYS };
    if (kind === 'field' && maxBody !== MAX_BODY) return { key: ['maxBody'], reason: FIELD_SAYS };
    if (kind === 'handler') return { key: [], reason: 'a handler caches its calls' };
    // A translated route has the methods of its schema, of which some are read.
    const isRead = kind === 'translate' || methods.length === 0 || methods.includes('GET');
    return isRead ? undefined : { key: [], reason: 'only answers to GET are kept, and no GET is taken' };
  },
  unfit: {
    ...unfitFor(
      ['controller', 'view', 'viewStream'],
      'a handler caches its calls; the gateway does not start',
    ),
    ...unfitFor(
      [...GRAPHQL_HTTP, 'graphqlSocket'],
      'an answer of GraphQL is as good as its fields, which say so by `@Cache()`',
    ),
    passedGrpc: 'every call is a POST, whose answers nobody keeps',
    ...unfitFor(['translatedSocket', 'forwardedSocket'], 'a socket is no answer that could be kept'),
  },
});

/** Caches the answers of a controller or handler. */
export const Cache = cachePolicy.decorator;

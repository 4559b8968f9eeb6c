import { z } from 'zod';
import { durationText, size, timerDuration } from '../../config/units.ts';
import { variableName } from '../../config/variable-name.ts';
import { SOCKETS, unfitFor } from '../doors.ts';
import { definePolicy } from '../policy.ts';

const LEAST_LEASE_MS = 100;
const READS = 'it answers GET only, which may be sent again as it is';

/** The methods that keys are for (draft-ietf-httpapi-idempotency-key-header-07 section 2). */
export const KEYED_METHODS: ReadonlySet<string> = new Set(['POST', 'PATCH']);

const UNREAD_CALLS =
  'calls are streams of messages both ways, passed on unread and answered by trailers; the key goes on to the service';

const statusCode = z.int().min(400).max(599);

/** A request that is sent again with its key is not run again. */
export const idempotencyPolicy = definePolicy({
  name: 'idempotency',
  schema: z
    .strictObject({
      required: z
        .boolean()
        .default(false)
        .describe('Whether POST and PATCH without `Idempotency-Key` are refused. Default false.'),
      ttl: timerDuration
        .refine((ms) => ms > 0, 'expected more than 0ms')
        .prefault('24h')
        .describe('How long an answer is kept; after that its key may be used anew. Default 24h.'),
      lease: timerDuration
        .refine((ms) => ms >= LEAST_LEASE_MS, 'expected at least 100ms')
        .prefault('30s')
        .describe(
          'How long a request counts as under way after its gateway has died; extended as long as that lives. Default 30s.',
        ),
      maxRequest: size
        .default(256 * 1024)
        .describe(
          'Largest request body that is held to be compared before it goes on; larger ones are compared as they pass. Default 256KiB.',
        ),
      maxAnswer: size
        .default(256 * 1024)
        .describe(
          'Largest body of an answer that is kept; of larger ones only that they were given. Default 256KiB.',
        ),
      anonymous: z
        .enum(['refuse', 'address'])
        .default('refuse')
        .describe(
          'What becomes of keys of callers that nobody knows: refused, or kept apart by the block of their address. Default refuse.',
        ),
      onUnknown: z
        .enum(['refuse', 'run'])
        .default('refuse')
        .describe(
          'What becomes of a key of whose request nobody knows whether it was run: refused, or run again, for services that know keys themselves. Default refuse.',
        ),
      onStoreError: z
        .enum(['closed', 'open'])
        .default('closed')
        .describe(
          'What becomes of requests with a key while Redis does not answer: refused, or run without protection. Default closed.',
        ),
      retryable: z
        .array(statusCode)
        .default([401, 408, 425, 429])
        .describe(
          'Statuses by which the service says that it has done nothing: not kept, so that the same key may be sent again. Default [401, 408, 425, 429].',
        ),
      encryptionKeysEnv: variableName
        .optional()
        .describe(
          'Name of the environment variable with the secrets that kept answers are encrypted with, separated by commas, 32 characters or more each: the first one encrypts, all of them decrypt. Default: not encrypted.',
        ),
      encryptionKeysFile: z
        .string()
        .min(1)
        .optional()
        .describe('The same from a file, a secret in each line; from where the gateway is started.'),
    })
    .refine(
      ({ encryptionKeysEnv, encryptionKeysFile }) =>
        encryptionKeysEnv === undefined || encryptionKeysFile === undefined,
      'expected one of `encryptionKeysEnv` and `encryptionKeysFile`',
    ),
  summary:
    'Runs a POST or PATCH with an `Idempotency-Key` once: a client that sends it again gets the answer that was given the first time.',
  // Streams of answers are guarded as well, though nothing of them can be told again.
  per: 'connection',
  before: 'action',
  refusesWith: [
    'idempotency-key-invalid',
    'idempotency-key-reused',
    'idempotency-in-flight',
    'idempotency-outcome-unknown',
    'idempotency-not-replayable',
    'idempotency-unavailable',
  ],
  answerFields: {
    'Idempotent-Replayed': {
      description: '`true` on an answer that was given before, to a request with the same `Idempotency-Key`.',
    },
  },
  requestFields: {
    'Idempotency-Key': {
      methods: KEYED_METHODS,
      description:
        'A key of the client, such as a UUID: the same for each try of one request, another one for another request. A string of Structured Fields, in quotes or bare, of 255 characters at most.',
      isRequired: ({ required }) => required,
    },
  },
  describe: ({ required, ttl }) => `${required ? 'required' : 'optional'} ${durationText(ttl)}`,
  idle: (_, { kind, methods }) => {
    if (kind === 'aggregate') return { key: [], reason: READS, isHarmless: true };
    if (kind === 'redirect' || kind === 'respond' || kind === 'keySet')
      return { key: [], reason: 'nothing is run that could be run twice', isHarmless: true };
    if (kind === 'passGrpc') return { key: [], reason: UNREAD_CALLS, isHarmless: true };
    const isKeyed = methods.length === 0 || methods.some((one) => KEYED_METHODS.has(one));
    return isKeyed || kind === 'translate'
      ? undefined
      : { key: [], reason: 'keys are for POST and PATCH, and neither is taken', isHarmless: true };
  },
  unfit: {
    aggregated: READS,
    view: READS,
    viewStream: READS,
    graphqlGet: 'a query changes nothing, and a mutation needs a POST',
    graphqlReserved: 'the answer goes to another request than the one that has the key',
    passedGrpc: UNREAD_CALLS,
    ...unfitFor(SOCKETS, 'a handshake is a GET, and messages have no header fields to put a key into'),
  },
});

/** Has a controller or handler run a request with a key once. */
export const Idempotency = idempotencyPolicy.decorator;

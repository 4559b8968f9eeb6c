import { durationText, timerDuration } from '../../config/units.ts';
import { SOCKETS, unfitFor } from '../doors.ts';
import { definePolicy } from '../policy.ts';

/** What is in force where neither a policy nor the upstream says otherwise, in ms. */
export const BODY_IDLE_MS = 30_000;

/** The longest silence of a client within its request body. */
export const bodyIdlePolicy = definePolicy({
  name: 'bodyIdle',
  schema: timerDuration
    .refine((ms) => ms >= 1, 'expected at least 1ms')
    .describe(
      'Longest silence of a client within its request body. Default: `timeouts.idle` of the upstream, 30s for handlers.',
    ),
  step: 'size',
  summary:
    'The longest silence of a client within its request body. A body of which nothing arrives for that long ends the exchange and its connection, whoever reads it: a proxied or translated upload, a controller, GraphQL.',
  per: 'connection',
  before: 'body',
  refusesWith: ['request-timeout'],
  describe: durationText,
  undeclared: BODY_IDLE_MS,
  idle: (_options, { kind }) =>
    kind === 'redirect' || kind === 'respond'
      ? { key: [], reason: 'it answers without reading the body of a request' }
      : undefined,
  unfit: {
    ...unfitFor(SOCKETS, 'a handshake has no body, and sockets have a silence of their own'),
    ...unfitFor(['aggregated', 'view', 'viewStream', 'graphqlGet'], 'nobody reads the body of a GET'),
  },
});

/** Limits the silence within the request body of a controller or handler. */
export const BodyIdle = bodyIdlePolicy.decorator;

import { durationText, timerDuration } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';

/** What is in force where no deadline is declared, in ms. */
export const DEADLINE_MS = 60_000;

/** The absolute time budget of an exchange, from its first byte to the last byte of its answer's head. */
export const deadlinePolicy = definePolicy({
  name: 'deadline',
  schema: timerDuration
    .refine((ms) => ms >= 1, 'expected at least 1ms')
    .describe('Total time budget of a request; passed on to upstreams. Default 60s; `off` for none.'),
  summary:
    'The total time budget of an exchange, from the moment the request arrived until the head of the answer is out. When it has passed, everything that is under way is cancelled, the reading of a body included, at every door. An answer whose head is out is streamed to its end; from then on only silence ends it (`timeouts.idle`).',
  // A stream of answers has no deadline; its socket has an age.
  per: 'answer',
  // A handshake that is forwarded is answered by the service, or by a socket.
  boundsHandshake: true,
  before: 'body',
  refusesWith: ['deadline-exceeded'],
  describe: durationText,
  undeclared: DEADLINE_MS,
  unfit: { translatedSocket: 'a stream of messages has no deadline; its socket has an age' },
});

/** Limits the total time of a controller or handler. */
export const Deadline = deadlinePolicy.decorator;

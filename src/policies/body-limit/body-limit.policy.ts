import { size } from '../../config/units.ts';
import { SOCKETS, unfitFor } from '../doors.ts';
import { definePolicy } from '../policy.ts';

/** The largest request body that a route takes, counted while it streams. */
export const bodyLimitPolicy = definePolicy({
  name: 'bodyLimit',
  schema: size.describe(
    'Largest request body, such as 1MiB. Default: none for proxied routes, 1MiB for handlers.',
  ),
  step: 'size',
  summary:
    'The largest request body of a route. A declared length is checked before a byte is read; a body without one is counted while it streams, and the exchange ends when it grows over the limit.',
  per: 'connection',
  before: 'body',
  refusesWith: ['body-too-large'],
  describe: (bytes) => `${bytes} bytes`,
  unfit: unfitFor(SOCKETS, 'a handshake has no body, and messages have a bound of their own'),
});

/** Limits the request body of a controller or handler. */
export const BodyLimit = bodyLimitPolicy.decorator;

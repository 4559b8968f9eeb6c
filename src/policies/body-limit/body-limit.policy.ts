import { size } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';

/** The largest request body that a route takes, counted while it streams. */
export const bodyLimitPolicy = definePolicy({
  name: 'bodyLimit',
  schema: size.describe(
    'Largest request body, such as 1MiB. Default: none for proxied routes, 1MiB for handlers.',
  ),
});

/** Limits the request body of a controller or handler. */
export const BodyLimit = bodyLimitPolicy.decorator;

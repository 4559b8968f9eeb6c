import { timerDuration } from '../../config/units.ts';
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
});

/** Limits the silence within the request body of a controller or handler. */
export const BodyIdle = bodyIdlePolicy.decorator;

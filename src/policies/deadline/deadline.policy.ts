import { timerDuration } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';

/** What is in force where no deadline is declared, in ms. */
export const DEADLINE_MS = 60_000;

/** The absolute time budget of an exchange, from its first byte to the last byte of its answer's head. */
export const deadlinePolicy = definePolicy({
  name: 'deadline',
  schema: timerDuration
    .refine((ms) => ms >= 1, 'expected at least 1ms')
    .describe('Total time budget of a request; passed on to upstreams. Default 60s; `off` for none.'),
});

/** Limits the total time of a controller or handler. */
export const Deadline = deadlinePolicy.decorator;

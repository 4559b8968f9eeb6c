import { z } from 'zod';
import { definePolicy } from '../policy.ts';

/** Tells clients how long the gateway took to pass a request on. */
export const responseTimePolicy = definePolicy({
  name: 'responseTime',
  schema: z
    .strictObject({ field: z.string().default('X-Response-Time').describe('The header field.') })
    .describe('Tells how long the gateway took.'),
  summary: 'Tells clients how long the gateway took to pass a request on, in ms.',
  per: 'connection',
  before: 'action',
  refusesWith: [],
  answerFields: { 'X-Response-Time': { description: 'Milliseconds until somebody was asked.' } },
  describe: ({ field }) => field,
});

/** Adds the field to the answers of a controller or handler. */
export const ResponseTime = responseTimePolicy.decorator;

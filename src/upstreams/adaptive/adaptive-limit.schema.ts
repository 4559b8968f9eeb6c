import { z } from 'zod';

const LARGEST = 100_000;
/** Fewer than these could not tell a queue from a call. */
const LEAST = 4;
const calls = z.int().min(LEAST).max(LARGEST);

const bounds = z
  .strictObject({
    initial: calls.default(20).describe('What it starts from. Default 20.'),
    min: calls.default(LEAST).describe('It is never less. Default 4.'),
    max: calls.default(200).describe('It is never more. Default 200.'),
    tolerance: z
      .number()
      .min(1)
      .max(10)
      .default(1.5)
      .describe('How many times the usual latency is no sign of a queue yet. Default 1.5.'),
  })
  .superRefine(({ initial, min, max }, context) => {
    if (min > max) context.addIssue({ code: 'custom', path: ['min'], message: 'expected at most `max`' });
    else if (initial < min || initial > max)
      context.addIssue({ code: 'custom', path: ['initial'], message: 'expected `min` to `max`' });
  });

/** Whether the calls under way at each target are limited by how long its answers take. */
export const adaptiveSchema = z
  .union([z.literal('off'), z.literal('on').transform(() => bounds.parse({})), bounds])
  .default('off')
  .describe(
    'How many calls may wait for an answer of each target, found out by how long answers take; beyond, requests wait their turn as with `maxRequests`. `on`, or bounds. Default off.',
  );

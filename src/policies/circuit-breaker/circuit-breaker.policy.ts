import { z } from 'zod';
import { durationText, timerDuration, percentage } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';

/** When a breaker opens, and for how long. */
export const circuitBreakerPolicy = definePolicy({
  name: 'circuitBreaker',
  schema: z.strictObject({
    errorRate: percentage
      .default(0.5)
      .describe('Share of failures in the window that opens the breaker. Default 50%.'),
    window: z
      .int()
      .min(1)
      .max(10_000)
      .default(20)
      .describe('How many of the last calls are looked at. Default 20.'),
    consecutiveFailures: z
      .int()
      .min(1)
      .default(10)
      .describe('Failures in a row that open the breaker whatever the window says. Default 10.'),
    openFor: timerDuration
      .default(30_000)
      .describe('How long it stays open before one probe is let through. Default 30s.'),
    maxOpenFor: timerDuration
      .default(300_000)
      .describe('Cap of the doubling of `openFor` while probes fail. Default 5m.'),
    slowCalls: timerDuration
      .refine((ms) => ms > 0, 'expected more than nothing')
      .optional()
      .describe('Calls whose first byte takes longer count as failures. Default: none does.'),
    probeTimeout: timerDuration
      .refine((ms) => ms > 0, 'expected more than nothing')
      .default(60_000)
      .describe('How long the one probe may say nothing until another one is let through. Default 60s.'),
  }),
  step: 'break',
  isOfUpstreams: true,
  summary:
    'Leaves alone what keeps failing. Every target of every upstream has a breaker of its own; a handler has one if it says so.',
  // A handler's breaker learns from answers, and a stream would hold its probe. An upstream's only refuses.
  per: { proxy: 'operation', handler: 'answer' },
  // A probe that waits for a body would keep the breaker from learning anything, and a body that is refused teaches it
  // nothing about the handler.
  before: 'action',
  refusesWith: ['circuit-open'],
  describe: ({ errorRate, window, consecutiveFailures, openFor }) =>
    `${errorRate * 100}% of ${window} or ${consecutiveFailures} in a row, open ${durationText(openFor)}`,
});

/** The parsed options of a breaker. */
export type BreakerOptions = z.output<typeof circuitBreakerPolicy.schema>;

/** Puts a breaker around a controller or handler. */
export const CircuitBreaker = circuitBreakerPolicy.decorator;

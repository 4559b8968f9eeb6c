import { z } from 'zod';
import { percentage, timerDuration } from '../../config/units.ts';

const off = z.literal('off');
const isOrdered = ({ from, full }: { readonly from: number; readonly full: number }): boolean => from < full;
const unordered = { message: 'expected more than `from`', path: ['full'] };

function shares(from: number, full: number) {
  return z
    .strictObject({
      from: percentage.default(from).describe(`Where requests begin to be refused. Default ${from * 100}%.`),
      full: percentage
        .default(full)
        .describe(`Where all are refused but critical ones. Default ${full * 100}%.`),
    })
    .refine(isOrdered, unordered);
}

function times(from: number, full: number) {
  return z
    .strictObject({
      from: timerDuration.default(from).describe(`Where requests begin to be refused. Default ${from}ms.`),
      full: timerDuration
        .default(full)
        .describe(`Where all are refused but critical ones. Default ${full}ms.`),
    })
    .refine(isOrdered, unordered);
}

/** What tells that the gateway has too much to do. */
export const loadSheddingSchema = z
  .strictObject({
    eventLoopDelay: z
      .union([off, times(100, 500)])
      .prefault({})
      .describe('How late the event loop is (p99 of half a second).'),
    eventLoopUtilization: z
      .union([off, shares(0.9, 1)])
      .default('off')
      .describe('How busy the event loop is. A gateway that is busy need not be late. Default off.'),
    memory: z
      .union([off, shares(0.85, 0.95)])
      .prefault({})
      .describe('How much is used of the heap, or of what the container may have, whichever is fuller.'),
    queueTime: z
      .union([off, times(20, 200)])
      .default('off')
      .describe(
        'How long requests wait in the queue of a route or an upstream, the worst of them, at the least in half a second: for gateways whose routes share what they wait for. Default off.',
      ),
    enterAfter: timerDuration
      .default(2000)
      .describe('How long a sensor is over its threshold before anything is refused. Default 2s.'),
    leaveAfter: timerDuration
      .refine((ms) => ms >= 1, 'expected at least 1ms')
      .default(10_000)
      .describe('How long it takes until nothing is refused any more. Default 10s.'),
  })
  .describe('When the policies `loadShedding` and `callerPriority` refuse requests.');

/** The parsed options. */
export type LoadSheddingOptions = z.output<typeof loadSheddingSchema>;

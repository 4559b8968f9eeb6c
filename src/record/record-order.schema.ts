import { z } from 'zod';
import { duration, percentage, size } from '../config/units.ts';

const MAX_EXCHANGES = 100_000;

/** What `POST /record` takes. */
export const recordOrderSchema = z.strictObject({
  for: duration
    .refine((ms) => ms >= 100 && ms <= 3_600_000, 'expected 100ms to 1h')
    .default(60_000)
    .describe('How long, 100ms to 1h. Default 1m.'),
  rate: percentage
    .refine((share) => share > 0, 'expected more than 0%')
    .default(1)
    .describe('Share of the exchanges. Default 100%.'),
  max: z.int().min(1).max(MAX_EXCHANGES).default(1000).describe('Most exchanges. Default 1000.'),
  perRoute: z
    .int()
    .min(1)
    .max(MAX_EXCHANGES)
    .default(MAX_EXCHANGES)
    .describe('Most exchanges of one route. Default: no limit of its own.'),
  bytes: size
    .refine((bytes) => bytes >= 1024 && bytes <= 256 * 2 ** 20, 'expected 1KiB to 256MiB')
    .default(16 * 2 ** 20)
    .describe('Most bytes of the sample. Default 16MiB.'),
  bodies: size
    .refine((bytes) => bytes <= 2 ** 20, 'expected at most 1MiB')
    .default(0)
    .describe('Keeps bodies of JSON up to this size, without secrets. Default 0B: none.'),
  answers: size
    .refine((bytes) => bytes <= 2 ** 20, 'expected at most 1MiB')
    .default(0)
    .describe('Keeps bodies of answers that are JSON up to this size, without secrets. Default 0B: none.'),
});

/** A parsed order to record. */
export type RecordOrder = z.output<typeof recordOrderSchema>;

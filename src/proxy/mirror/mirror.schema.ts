import { z } from 'zod';
import { percentage, size, timerDuration } from '../../config/units.ts';

/** Twice as much is held of a body, and of each of two answers. */
const MOST_HELD_BYTES = 2 ** 20;
const MOST_READ_BYTES = 2 ** 30;
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const heldSize = size.refine((bytes) => bytes <= MOST_HELD_BYTES, 'expected at most 1MiB');
const pointer = z
  .string()
  .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'expected a JSON pointer, such as /items/*/updatedAt')
  .max(1000);

/** What a route says about the requests that another upstream is sent as well. */
export const mirrorSchema = z
  .strictObject({
    upstream: z.string().describe('The upstream that gets the copies; another one than that of the route.'),
    share: percentage.default(1).describe('Share of the requests that are mirrored. Default 100%.'),
    methods: z
      .array(z.enum(METHODS))
      .min(1)
      .default(['GET', 'HEAD', 'OPTIONS'])
      .describe('Methods that are mirrored. Default GET, HEAD and OPTIONS, which change nothing.'),
    maxInFlight: z
      .int()
      .min(1)
      .max(10_000)
      .default(32)
      .describe('Mirrored requests under way at a time; further ones are not mirrored. Default 32.'),
    maxBody: heldSize
      .default(65_536)
      .describe('Largest body of a request that is mirrored, at most 1MiB. Default 64KiB.'),
    maxAnswer: size
      .refine((bytes) => bytes <= MOST_READ_BYTES, 'expected at most 1GiB')
      .default(MOST_HELD_BYTES)
      .describe('How much of a mirrored answer is read and thrown away. Default 1MiB.'),
    timeout: timerDuration
      .refine((ms) => ms >= 1, 'expected at least 1ms')
      .default(10_000)
      .describe('How long a mirrored request lasts at most, with its body and its answer. Default 10s.'),
    compare: z
      .strictObject({
        ignore: z
          .array(pointer)
          .max(200)
          .default([])
          .describe(
            'JSON pointers of what may differ; `*` stands for every element of an array. Default none.',
          ),
        maxBody: heldSize
          .default(65_536)
          .describe('Largest body of an answer that is compared, at most 1MiB. Default 64KiB.'),
      })
      .optional()
      .describe('Whether status and JSON body of both answers are compared, and what of them. Default: not.'),
  })
  .describe('A share of the requests of a forwarded route that another upstream is sent as well.');

/** The parsed `mirror` of a route. */
export type MirrorOptions = z.output<typeof mirrorSchema>;

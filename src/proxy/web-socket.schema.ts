import { z } from 'zod';
import { pageOrigin, size, timerDuration } from '../config/units.ts';

const MEBIBYTE = 2 ** 20;

const options = z.strictObject({
  origins: z
    .array(pageOrigin)
    .default([])
    .describe('Origins whose pages may open sockets without a credential; our own always may. Default none.'),
  sockets: z
    .int()
    .min(1)
    .default(10_000)
    .describe('Most sockets of the route at once, in this process. Default 10000.'),
  perPrincipal: z
    .int()
    .min(1)
    .default(100)
    .describe(
      'Most sockets of the route at once for one caller, in this process; who is not known counts by address. Default 100.',
    ),
  maxMessage: size
    .refine((bytes) => bytes >= 1, 'expected at least 1B')
    .default(MEBIBYTE)
    .describe('Largest message, either way; beyond it the socket is closed with 1009. Default 1MiB.'),
  maxFrame: size
    .refine((bytes) => bytes >= 1, 'expected at least 1B')
    .optional()
    .describe('Largest frame, either way; beyond it the socket is closed with 1009. Default `maxMessage`.'),
  idle: timerDuration
    .refine((ms) => ms >= 1, 'expected at least 1ms')
    .default(300_000)
    .describe('Longest time without a message from either side; pings are none. Default 5m.'),
  maxAge: timerDuration
    .refine((ms) => ms >= 1, 'expected at least 1ms')
    .default(3_600_000)
    .describe('A socket ends after this with 1012, whatever it does. Default 1h.'),
  ping: z
    .union([z.literal('off'), timerDuration.refine((ms) => ms >= 1, 'expected at least 1ms')])
    .default(30_000)
    .describe(
      'After how long a silence either side is asked whether it is there; who says nothing for as long again has left. Default 30s.',
    ),
  compression: z
    .enum(['off', 'pass'])
    .default('off')
    .describe(
      'Whether both sides may agree on permessage-deflate; the limits of sizes then count what is compressed. Default off.',
    ),
  onLimit: z
    .enum(['close', 'wait'])
    .default('close')
    .describe(
      'What becomes of a message that `perMessage` of a rate limit refuses: the socket is closed with 1008, or its client is read on when there are tokens again; a quota always closes it. Default close.',
    ),
});

/** The `webSocket:` key of a route. */
export const webSocketSchema = z
  .union([
    z.enum(['on', 'off']).transform((said) => (said === 'on' ? options.parse({}) : undefined)),
    options,
  ])
  .describe('Forwards WebSockets too: `on`, or their limits. Default off.');

/** How WebSockets of a route are forwarded. */
export type WebSocketOptions = z.output<typeof options>;

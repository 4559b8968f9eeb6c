import { z } from 'zod';
import { size, timerDuration, pageOrigin } from '../config/units.ts';
import { mayPass } from './metadata-rules.ts';

const names = z
  .array(
    z
      .string()
      .transform((name) => name.toLowerCase())
      .refine(mayPass, 'expected a name of metadata that is neither reserved nor the gateway’s own to say'),
  )
  .default([]);

const webSocket = z.strictObject({
  sockets: z
    .int()
    .min(1)
    .default(10_000)
    .describe('Most sockets of one method at once, in this process. Default 10000.'),
  idle: timerDuration
    .default(300_000)
    .describe('Longest time without a message from either side. Default 5m.'),
  maxAge: timerDuration
    .default(3_600_000)
    .describe('A socket ends after this, whatever it does. Default 1h.'),
  origins: z
    .array(pageOrigin)
    .default([])
    .describe('Origins whose pages may open sockets without a credential; our own always may. Default none.'),
});

/** The `grpc:` section of a route. */
export const transcodingSchema = z
  .strictObject({
    service: z
      .string()
      .regex(/^[A-Za-z_][\w.]*$/, 'expected the full name of a service, such as shop.v1.Orders')
      .describe('Full name of the service whose methods are offered as their google.api.http says.'),
    prefix: z
      .string()
      .regex(/^(\/[A-Za-z0-9\-._~]+)+$/, 'expected a literal path such as /api/v3')
      .optional()
      .describe('Path below which every method must lie; needed with `reflection`, where it is a fence.'),
    unknownFields: z
      .enum(['reject', 'ignore'])
      .default('reject')
      .describe('Fields of bodies and queries that the message does not have. Default reject.'),
    emitDefaults: z
      .boolean()
      .default(false)
      .describe('Whether answers show fields that hold their default. Default false.'),
    metadata: z
      .strictObject({
        request: names.describe('Header fields of the client that travel on. Default none.'),
        response: names.describe('Metadata and trailers that become header fields. Default none.'),
      })
      .prefault({})
      .describe('What passes between header fields and metadata, by name.'),
    maxLine: size
      .default(2 ** 20)
      .describe('Longest line of an NDJSON upload, and longest frame of a WebSocket. Default 1MiB.'),
    webSocket: z
      .union([z.literal('off'), webSocket])
      .prefault({})
      .describe('Offers streams over WebSocket too; `off` for not.'),
  })
  .describe('Offers a gRPC service as REST.');

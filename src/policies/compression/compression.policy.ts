import { z } from 'zod';
import { size } from '../../config/units.ts';
import { GRAPHQL_HTTP, SOCKETS, unfitFor } from '../doors.ts';
import { definePolicy } from '../policy.ts';
import { CODINGS } from './accept-encoding.ts';
import { DEFAULT_TYPES } from './compressible.ts';

const [, , EVENTS, RESERVED] = GRAPHQL_HTTP;
const WAITS = 'the reader of a stream of events waits for each of them';
const mediaType = z
  .string()
  .regex(
    /^(?:[a-z0-9.+-]+\/(?:\*|[a-z0-9.+-]+)|\*\/\*\+[a-z0-9.-]+)$/,
    'expected a media type in lower case without parameters, such as application/json, text/* or */*+json',
  );

/** Compresses answers for clients that take them so. */
export const compressionPolicy = definePolicy({
  name: 'compression',
  schema: z.strictObject({
    codings: z
      .array(z.enum(CODINGS))
      .min(1)
      .default([...CODINGS])
      .describe('Codings that are offered, the one that is liked best first. Default zstd, br, gzip.'),
    types: z
      .array(mediaType)
      .min(1)
      .default(DEFAULT_TYPES)
      .describe('Media types that are compressed. Default: texts, JSON, XML, scripts, SVG and the like.'),
    minSize: size
      .default(1024)
      .describe('Smallest answer that is worth it, where its length is known. Default 1KiB.'),
    levels: z
      .strictObject({
        gzip: z.int().min(1).max(9).default(6).describe('1 to 9. Default 6.'),
        br: z.int().min(0).max(6).default(4).describe('0 to 6. Default 4.'),
        zstd: z.int().min(1).max(9).default(3).describe('1 to 9. Default 3.'),
      })
      .prefault({})
      .describe('How hard each coding tries.'),
  }),
  summary:
    'Compresses answers on their way to clients that accept it, as a stream with back-pressure: what a service sends is passed on at once. What is coded already, `no-transform`, a part of something (206), small or of another type goes as it is, and streams of events always do.',
  per: 'connection',
  before: 'body',
  refusesWith: [],
  describe: ({ codings, minSize }) => `${codings.join(' ')}, from ${minSize} bytes`,
  idle: (_options, { kind, sendsEvents }) => {
    if (sendsEvents === true) return { key: [], reason: WAITS };
    return kind === 'redirect' ? { key: [], reason: 'a redirect has no body' } : undefined;
  },
  unfit: {
    ...unfitFor(SOCKETS, 'messages of a WebSocket are no answer of HTTP; it has an extension of its own'),
    ...unfitFor([EVENTS, RESERVED], WAITS),
    passedGrpc: 'messages of gRPC have a coding of their own, which both ends agree on',
    viewStream:
      'its records are asked to be left as they are (`no-transform`), so that nobody holds them back',
  },
});

/** Compresses the answers of a controller or handler. */
export const Compression = compressionPolicy.decorator;

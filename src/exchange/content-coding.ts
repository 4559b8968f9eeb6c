import {
  brotliDecompress,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gunzip,
  inflate,
  inflateRaw,
  zstdDecompress,
  type ZlibOptions,
  type ZstdOptions,
} from 'node:zlib';
import type { Transform } from 'node:stream';

/** Hears what became of a body: it is valid for good. */
export type Decoded = (fault: Error | null, body: Buffer) => void;

type Bounds = Pick<ZlibOptions, 'maxOutputLength'>;
type Decoder = (body: Buffer, options: Bounds, done: Decoded) => void;

/** A frame of a few bytes could ask for a window of 128 MiB; RFC 9659 allows 8 MiB on the web. */
const WINDOW = { params: { [constants.ZSTD_d_windowLogMax]: 23 } } satisfies ZstdOptions;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['br', brotliDecompress],
  ['zstd', (body, options, done) => zstdDecompress(body, { ...options, ...WINDOW }, done)],
  // Some services send deflate without its envelope.
  ['deflate', (body, options, done) => (hasEnvelope(body) ? inflate : inflateRaw)(body, options, done)],
]);

const STREAMS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['br', createBrotliDecompress],
  ['zstd', () => createZstdDecompress(WINDOW)],
  ['deflate', createInflate],
]);

const NOTHING = Buffer.alloc(0);

/** A body that came in a content coding that nobody here knows, or in several of them. */
export class UnknownCoding extends Error {
  override readonly name = 'UnknownCoding';
}

/** Whether a body is coded at all. @param coding its `content-encoding`. */
export function isCoded(coding: string | undefined): coding is string {
  return coding !== undefined && coding.trim() !== '' && coding.trim().toLowerCase() !== 'identity';
}

/** Whether it is a fault of a decoder that the body became larger than it may. */
export function isTooLarge(fault: unknown): boolean {
  return (fault as { code?: unknown } | null)?.code === 'ERR_BUFFER_TOO_LARGE';
}

/**
 * Undoes the content coding of a body (RFC 9110 section 8.4.1): gzip, deflate, br or zstd, in a thread of its own. Only one
 * coding at a time: several on top of each other multiply what a small answer can grow to.
 *
 * @param body only valid until this returns.
 * @param maxBytes largest decoded body; a larger one is a fault, and is not decoded beyond that.
 * @param done never called before this returns; hears {@link UnknownCoding} of one that is not known.
 */
export function decodeContent(body: Buffer, coding: string, maxBytes: number, done: Decoded): void {
  const decode = DECODERS.get(coding.trim().toLowerCase());
  if (decode === undefined) setImmediate(done, new UnknownCoding('the coding is not known'), NOTHING);
  else decode(Buffer.from(body), { maxOutputLength: maxBytes }, done);
}

/** The same as a promise. @throws {Error} as {@link decodeContent} tells it; the body as it is when it is not coded. */
export function decodedContent(body: Buffer, coding: string | undefined, maxBytes: number): Promise<Buffer> {
  if (!isCoded(coding)) return Promise.resolve(body);
  return new Promise((resolve, reject) =>
    decodeContent(body, coding, maxBytes, (fault, decoded) =>
      fault === null ? resolve(decoded) : reject(fault),
    ),
  );
}

/** Undoes a content coding as a stream, whose reader bounds it; undefined when the coding is not known. */
export function decodingStream(coding: string): Transform | undefined {
  return STREAMS.get(coding.trim().toLowerCase())?.();
}

/** RFC 1950 section 2.2: method 8, and a checksum over the first two bytes. */
function hasEnvelope(body: Buffer): boolean {
  return body.length >= 2 && ((body[0] as number) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
}

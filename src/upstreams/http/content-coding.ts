import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from 'node:zlib';

/** Hears what became of a body: it is valid for good. */
export type Decoded = (fault: Error | null, body: Buffer) => void;

type Decoder = (body: Buffer, options: ZlibOptions, done: Decoded) => void;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['br', brotliDecompress],
  // Some services send deflate without its envelope.
  ['deflate', (body, options, done) => (hasEnvelope(body) ? inflate : inflateRaw)(body, options, done)],
]);
const NOTHING = Buffer.alloc(0);

/** Whether a body is coded at all. @param coding its `content-encoding`. */
export function isCoded(coding: string | undefined): coding is string {
  return coding !== undefined && coding !== '' && coding.toLowerCase() !== 'identity';
}

/**
 * Undoes the content coding of a body (RFC 9110 section 8.4.1), in a thread of its own. Only one coding at a time: several
 * on top of each other multiply what a small answer can grow to.
 *
 * @param body only valid until this returns.
 * @param maxBytes largest decoded body; a larger one is a fault, and is not decoded beyond that.
 * @param done never called before this returns.
 */
export function decodeContent(body: Buffer, coding: string, maxBytes: number, done: Decoded): void {
  const decode = DECODERS.get(coding.trim().toLowerCase());
  if (decode === undefined) setImmediate(done, new Error(`the coding ${coding} is not known`), NOTHING);
  else decode(Buffer.from(body), { maxOutputLength: maxBytes }, done);
}

/** RFC 1950 section 2.2: method 8, and a checksum over the first two bytes. */
function hasEnvelope(body: Buffer): boolean {
  return body.length >= 2 && ((body[0] as number) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
}

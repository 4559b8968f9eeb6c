import { constants } from 'node:http2';
import { ProtocolFault } from './http2-faults.ts';

/** Types of frames (RFC 9113 section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames; one bit means one thing for each type. */
export const FLAG = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** What every frame begins with: length, type, flags, stream. */
export const FRAME_HEAD_BYTES = 9;
/** Largest payload that each side takes unless it says otherwise; we never do. */
export const DEFAULT_FRAME_BYTES = 16_384;
/** Windows, ids and settings have 31 bits. */
export const MAX_31_BITS = 2 ** 31 - 1;

/** One frame as it came; its payload is only valid until the reader returns. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Cuts what a connection brings into frames. */
export class FrameReader {
  #rest: Buffer | undefined = undefined;

  /**
   * Takes the next bytes and hands over every frame that is complete, as long as `hear` answers `true`.
   *
   * @throws {ProtocolFault} when a frame is larger than allowed.
   */
  take(chunk: Buffer, hear: (frame: Frame) => boolean): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      if (length > DEFAULT_FRAME_BYTES)
        throw new ProtocolFault(constants.NGHTTP2_FRAME_SIZE_ERROR, `a frame of ${length} bytes`);
      const start = at + FRAME_HEAD_BYTES;
      if (bytes.length - start < length) break;
      const frame = {
        type: bytes[at + 3] as number,
        flags: bytes[at + 4] as number,
        stream: bytes.readUInt32BE(at + 5) & MAX_31_BITS,
        payload: bytes.subarray(start, start + length),
      };
      at = start + length;
      if (!hear(frame)) return;
    }
    // A copy: the bytes belong to whoever reads the socket.
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }
}

/** Takes padding and priority off a payload (RFC 9113 sections 6.1 and 6.2). @throws {ProtocolFault} for wrong padding. */
export function contentOf({ flags, payload, type }: Frame): Buffer {
  const isPadded = (flags & FLAG.padded) !== 0;
  const hasPriority = type === FRAME.headers && (flags & FLAG.priority) !== 0;
  if (!isPadded && !hasPriority) return payload;
  const start = (isPadded ? 1 : 0) + (hasPriority ? 5 : 0);
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (end < start)
    throw new ProtocolFault(constants.NGHTTP2_PROTOCOL_ERROR, 'the padding is longer than its frame');
  return payload.subarray(start, end);
}

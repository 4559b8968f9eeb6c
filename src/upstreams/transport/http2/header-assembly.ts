import { constants } from 'node:http2';
import { contentOf, FLAG, FRAME, type Frame } from './frames.ts';
import { ProtocolFault } from './http2-faults.ts';

/** Largest header block that is taken; told to the other side, too. */
export const MAX_HEADER_BYTES = 65_536;
/** Frames that one block may come in: empty ones would cost no bytes. */
const MAX_HEADER_FRAMES = 32;

/** A header block that is complete. */
export interface HeaderBlock {
  readonly stream: number;
  readonly isEnd: boolean;
  readonly bytes: Buffer;
}

/** Puts header blocks together that come in several frames (RFC 9113 section 6.10). */
export class HeaderAssembly {
  #open: { readonly stream: number; readonly isEnd: boolean; readonly parts: Buffer[] } | undefined =
    undefined;
  #bytes = 0;

  /** Looks at every frame: nothing may come between those of one block. @throws {ProtocolFault} */
  check({ type, stream }: Frame): void {
    const isRest = type === FRAME.continuation;
    if (this.#open === undefined ? isRest : !isRest || stream !== this.#open.stream)
      throw new ProtocolFault(constants.NGHTTP2_PROTOCOL_ERROR, 'a header block that is interrupted');
  }

  /** Takes HEADERS or CONTINUATION. @returns the block when it is complete. @throws {ProtocolFault} when it is too large. */
  take(frame: Frame): HeaderBlock | undefined {
    const isComplete = (frame.flags & FLAG.endHeaders) !== 0;
    if (this.#open === undefined) {
      const bytes = contentOf(frame);
      const { stream } = frame;
      const isEnd = (frame.flags & FLAG.endStream) !== 0;
      if (isComplete) return { stream, isEnd, bytes };
      this.#bytes = bytes.length;
      this.#open = { stream, isEnd, parts: [Buffer.from(bytes)] };
      return undefined;
    }
    const { stream, isEnd, parts } = this.#open;
    parts.push(Buffer.from(frame.payload));
    this.#bytes += frame.payload.length;
    if (this.#bytes > MAX_HEADER_BYTES || parts.length > MAX_HEADER_FRAMES)
      throw new ProtocolFault(constants.NGHTTP2_ENHANCE_YOUR_CALM, 'a header block that is too large');
    if (!isComplete) return undefined;
    this.#open = undefined;
    return { stream, isEnd, bytes: Buffer.concat(parts, this.#bytes) };
  }
}

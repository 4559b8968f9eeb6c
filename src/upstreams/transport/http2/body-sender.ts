import { constants } from 'node:http2';
import type { FrameWriter } from './frame-writer.ts';
import { DEFAULT_FRAME_BYTES, FLAG, FRAME, MAX_31_BITS } from './frames.ts';
import { ProtocolFault, StreamReset } from './http2-faults.ts';
import type { OutboundStream } from './outbound-stream.ts';

/** What every window begins with (RFC 9113 section 6.9.2). */
const DEFAULT_WINDOW = 65_535;

/** Sends the bodies of one connection, as far as the windows of the other side let them through. */
export class BodySender {
  readonly #writer: FrameWriter;
  readonly #blocked = new Set<OutboundStream>();
  #window = DEFAULT_WINDOW;
  #initialWindow = DEFAULT_WINDOW;
  #frameBytes = DEFAULT_FRAME_BYTES;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** Sends the body of a new stream. */
  begin(stream: OutboundStream): void {
    stream.sent = 0;
    stream.window = this.#initialWindow;
    this.#send(stream);
  }

  /** Forgets a stream. */
  drop(stream: OutboundStream): void {
    this.#blocked.delete(stream);
  }

  /** Lets more through, of one stream or, without one, of all together. @throws {ProtocolFault | StreamReset} for too much. */
  widen(by: number, stream?: OutboundStream): void {
    const window = (stream?.window ?? this.#window) + by;
    if (by === 0) throw faultOf(stream, constants.NGHTTP2_PROTOCOL_ERROR, 'a window that grows by nothing');
    if (window > MAX_31_BITS)
      throw faultOf(stream, constants.NGHTTP2_FLOW_CONTROL_ERROR, 'a window above 2^31-1');
    if (stream === undefined) this.#window = window;
    else stream.window = window;
    this.#sendBlocked();
  }

  /** Takes the other side's setting for new windows; those that are open move with it. @throws {ProtocolFault} */
  setInitialWindow(bytes: number, open: Iterable<OutboundStream>): void {
    if (bytes > MAX_31_BITS)
      throw new ProtocolFault(constants.NGHTTP2_FLOW_CONTROL_ERROR, 'a window above 2^31-1');
    const change = bytes - this.#initialWindow;
    this.#initialWindow = bytes;
    for (const stream of open) stream.window += change;
    this.#sendBlocked();
  }

  /** Takes the other side's setting for the largest frame. @throws {ProtocolFault} */
  setFrameBytes(bytes: number): void {
    if (bytes < DEFAULT_FRAME_BYTES || bytes >= 2 ** 24)
      throw new ProtocolFault(constants.NGHTTP2_PROTOCOL_ERROR, `a frame size of ${bytes}`);
    this.#frameBytes = bytes;
  }

  #sendBlocked(): void {
    for (const stream of this.#blocked) this.#send(stream);
  }

  #send(stream: OutboundStream): void {
    const { body } = stream.message;
    while (stream.sent < body.length) {
      const left = body.length - stream.sent;
      const size = Math.min(left, this.#window, stream.window, this.#frameBytes);
      if (size <= 0) return void this.#blocked.add(stream);
      const end = stream.sent + size;
      const flags = end === body.length ? FLAG.endStream : 0;
      this.#writer.frame(FRAME.data, flags, stream.id, body.subarray(stream.sent, end));
      stream.sent = end;
      stream.window -= size;
      this.#window -= size;
    }
    this.#blocked.delete(stream);
  }
}

function faultOf(stream: OutboundStream | undefined, code: number, why: string): Error {
  return stream === undefined ? new ProtocolFault(code, why) : new StreamReset(code, why);
}

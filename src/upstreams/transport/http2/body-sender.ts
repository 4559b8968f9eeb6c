import { constants } from 'node:http2';
import type { CarriedStream } from './carried-stream.ts';
import type { FrameWriter } from './frame-writer.ts';
import { DEFAULT_FRAME_BYTES, FLAG, FRAME, MAX_31_BITS } from './frames.ts';
import { ProtocolFault, StreamReset } from './http2-faults.ts';

/** What every window begins with (RFC 9113 section 6.9.2). */
const DEFAULT_WINDOW = 65_535;
/** What may wait for the socket before bodies that stream do: windows of the other side may be of any size. */
const MAX_UNSENT_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** Sends the bodies of one connection, as far as the windows of the other side let them through. */
export class BodySender {
  readonly #writer: FrameWriter;
  readonly #blocked = new Set<CarriedStream>();
  #window = DEFAULT_WINDOW;
  #initialWindow = DEFAULT_WINDOW;
  #frameBytes = DEFAULT_FRAME_BYTES;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** Sends the head of a new stream, and as much of its body as there is. */
  begin(stream: CarriedStream): void {
    stream.window = this.#initialWindow;
    stream.isEndSent = stream.isSpent;
    this.#writer.block(stream.isEndSent ? FLAG.endStream : 0, stream.id, stream.head);
    this.send(stream);
  }

  /** Forgets a stream. */
  drop(stream: CarriedStream): void {
    this.#blocked.delete(stream);
  }

  /** Lets more through, of one stream or, without one, of all together. @throws {ProtocolFault | StreamReset} for too much. */
  widen(by: number, stream?: CarriedStream): void {
    const window = (stream?.window ?? this.#window) + by;
    if (by === 0) throw faultOf(stream, constants.NGHTTP2_PROTOCOL_ERROR, 'a window that grows by nothing');
    if (window > MAX_31_BITS)
      throw faultOf(stream, constants.NGHTTP2_FLOW_CONTROL_ERROR, 'a window above 2^31-1');
    if (stream === undefined) this.#window = window;
    else stream.window = window;
    this.resume();
  }

  /** Takes the other side's setting for new windows; those that are open move with it. @throws {ProtocolFault} */
  setInitialWindow(bytes: number, open: Iterable<CarriedStream>): void {
    if (bytes > MAX_31_BITS)
      throw new ProtocolFault(constants.NGHTTP2_FLOW_CONTROL_ERROR, 'a window above 2^31-1');
    const change = bytes - this.#initialWindow;
    this.#initialWindow = bytes;
    for (const stream of open) stream.window += change;
    this.resume();
  }

  /** Takes the other side's setting for the largest frame. @throws {ProtocolFault} */
  setFrameBytes(bytes: number): void {
    if (bytes < DEFAULT_FRAME_BYTES || bytes >= 2 ** 24)
      throw new ProtocolFault(constants.NGHTTP2_PROTOCOL_ERROR, `a frame size of ${bytes}`);
    this.#frameBytes = bytes;
  }

  /** Sends what has waited, as far as it goes. */
  readonly resume = (): void => {
    for (const stream of this.#blocked) this.send(stream);
  };

  /** Sends what there is of a body. */
  send(stream: CarriedStream): void {
    while (stream.available > 0) {
      const size = Math.min(stream.available, this.#window, stream.window, this.#frameBytes);
      if (size <= 0 || (stream.isStreamed && this.#writer.unread > MAX_UNSENT_BYTES))
        return void this.#blocked.add(stream);
      const piece = stream.take(size);
      this.#frame(stream, piece);
      stream.window -= piece.length;
      this.#window -= piece.length;
    }
    this.#blocked.delete(stream);
    if (stream.isSpent && !stream.isEndSent) this.#frame(stream, NOTHING);
    stream.drained();
  }

  #frame(stream: CarriedStream, piece: Buffer): void {
    stream.isEndSent = stream.isSpent;
    this.#writer.frame(FRAME.data, stream.isEndSent ? FLAG.endStream : 0, stream.id, piece);
  }
}

function faultOf(stream: CarriedStream | undefined, code: number, why: string): Error {
  return stream === undefined ? new ProtocolFault(code, why) : new StreamReset(code, why);
}

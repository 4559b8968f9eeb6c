import type { Socket } from 'node:net';
import { DEFAULT_FRAME_BYTES, FLAG, FRAME, FRAME_HEAD_BYTES } from './frames.ts';

const SMALLEST = 16_384;
/** A buffer that grew beyond this for one large body is not kept. */
const LARGEST_KEPT = 262_144;

/** Writes frames to a socket, all of one turn of the loop at once. */
export class FrameWriter {
  readonly #socket: Socket;
  #bytes = Buffer.allocUnsafeSlow(SMALLEST);
  #length = 0;
  #isScheduled = false;
  #isStopped = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** How many bytes wait for the other side to read. */
  get unread(): number {
    return this.#socket.writableLength;
  }

  /** Calls back whenever nothing waits any more. */
  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener);
  }

  /** Writes what was gathered now. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#isStopped || this.#length === 0) return;
    this.#socket.write(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    // What the kernel took at once is not read again.
    const isFree = this.#socket.writableLength === 0 && this.#bytes.length <= LARGEST_KEPT;
    if (!isFree) this.#bytes = Buffer.allocUnsafeSlow(SMALLEST);
  }

  /** Writes nothing any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Adds bytes as they are. */
  raw(bytes: string): void {
    this.#reserve(bytes.length);
    this.#length += this.#bytes.write(bytes, this.#length, 'latin1');
  }

  /** Adds a frame whose payload is there. */
  frame(type: number, flags: number, stream: number, payload: Uint8Array): void {
    this.#head(type, flags, stream, payload.length);
    this.#bytes.set(payload, this.#length);
    this.#length += payload.length;
  }

  /** Adds a header block, in as many frames as it needs (RFC 9113 section 4.3). */
  block(flags: number, stream: number, block: Uint8Array): void {
    let at = Math.min(block.length, DEFAULT_FRAME_BYTES);
    const last = (end: number): number => (end === block.length ? FLAG.endHeaders : 0);
    this.frame(FRAME.headers, flags | last(at), stream, block.subarray(0, at));
    while (at < block.length) {
      const end = Math.min(block.length, at + DEFAULT_FRAME_BYTES);
      this.frame(FRAME.continuation, last(end), stream, block.subarray(at, end));
      at = end;
    }
  }

  /** Adds a frame whose payload is numbers of four bytes. */
  numbers(type: number, flags: number, stream: number, ...payload: number[]): void {
    this.#head(type, flags, stream, payload.length * 4);
    for (const number of payload) this.#length = this.#bytes.writeUInt32BE(number, this.#length);
  }

  /** Adds the frame of settings. */
  settings(entries: readonly (readonly [id: number, value: number])[]): void {
    this.#head(FRAME.settings, 0, 0, entries.length * 6);
    for (const [id, value] of entries) {
      this.#length = this.#bytes.writeUInt16BE(id, this.#length);
      this.#length = this.#bytes.writeUInt32BE(value, this.#length);
    }
  }

  #head(type: number, flags: number, stream: number, length: number): void {
    this.#reserve(FRAME_HEAD_BYTES + length);
    const at = this.#length;
    this.#bytes.writeUIntBE(length, at, 3);
    this.#bytes[at + 3] = type;
    this.#bytes[at + 4] = flags;
    this.#length = this.#bytes.writeUInt32BE(stream, at + 5);
  }

  #reserve(more: number): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(flush, this);
    }
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

function flush(writer: FrameWriter): void {
  writer.flush();
}

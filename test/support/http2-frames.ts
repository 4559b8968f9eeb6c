import { connect, type Socket } from 'node:net';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const HEAD_BYTES = 9;

/** Types of frames (RFC 9113 section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** A frame, byte by byte. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header field, neither indexed nor compressed (RFC 7541 section 6.2.2). */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}

const LONG = 0x7f;

/** A string with its length before it (RFC 7541 sections 5.1 and 5.2); of at most 16 510 bytes. */
function text(value: string): Buffer {
  const rest = value.length - LONG;
  const size =
    rest < 0 ? [value.length] : rest < 0x80 ? [LONG, rest] : [LONG, 0x80 | (rest & 0x7f), rest >> 7];
  return Buffer.concat([Buffer.of(...size), Buffer.from(value)]);
}

/** The head of a GET, with more fields after it. */
export function head(path: string, ...more: readonly (readonly [string, string])[]): Buffer {
  const own = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'a.test'],
  ] as const;
  return Buffer.concat([...own, ...more].map(([name, value]) => field(name, value)));
}

/** As many frames as somebody wants, in one piece. */
export function many(count: number, make: (index: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
}

/** The id of a client's stream, counted from 0. */
export const streamId = (index: number): number => 2 * index + 1;

/** A client over HTTP/2 without TLS that says whatever it is told. */
export class FrameClient {
  readonly socket: Socket;
  /** Heads of the frames that came, with their payloads. */
  readonly frames: { readonly type: number; readonly stream: number; readonly payload: Buffer }[] = [];
  /** Resolves once the connection is closed. */
  readonly closed: Promise<void>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(url: string) {
    this.socket = connect(Number(new URL(url).port), '127.0.0.1');
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
  }

  /** The error code that the connection was ended with (RFC 9113 section 7). */
  get goaway(): number | undefined {
    return this.#last(FRAME.goaway)?.readUInt32BE(4);
  }

  /** The error code of the last stream that was reset. */
  get reset(): number | undefined {
    return this.#last(FRAME.reset)?.readUInt32BE(0);
  }

  count(type: number): number {
    return this.frames.filter((one) => one.type === type).length;
  }

  /** Waits until something holds, or the connection is closed. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.socket.destroyed) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #last(type: number): Buffer | undefined {
    return this.frames.findLast((one) => one.type === type)?.payload;
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) return;
      const [type = 0, stream] = [this.#rest[3], this.#rest.readUInt32BE(5)];
      this.frames.push({ type, stream, payload: this.#rest.subarray(HEAD_BYTES, end) });
      this.#rest = this.#rest.subarray(end);
    }
  }
}

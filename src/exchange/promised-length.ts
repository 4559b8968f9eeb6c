import type { FastifyReply } from 'fastify';
import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';

/**
 * Holds the stream of a handler to the `Content-Length` that its head promises. A client would wait for what a shorter one
 * leaves out, and take for the next answer what a longer one has too much (RFC 9112 section 6.3): both end with an error, a
 * longer one before the byte that is too much. What is no stream, or has no length, is given back as it is.
 *
 * @returns what is to be sent.
 */
export function heldToLength(reply: FastifyReply, payload: unknown): unknown {
  const promised = reply.getHeader('content-length');
  if (promised === undefined || reply.request.method === 'HEAD') return payload;
  const source = payload instanceof ReadableStream ? Readable.fromWeb(payload as WebStream) : payload;
  if (!(source instanceof Readable)) return payload;
  const held = new HeldLength(Number(promised));
  // Who sends what is held hears of faults by it.
  pipeline(source, held, () => undefined);
  return held;
}

class HeldLength extends Transform {
  readonly #promised: number;
  #passed = 0;

  constructor(promised: number) {
    super();
    this.#promised = promised;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#passed += chunk.length;
    if (this.#passed > this.#promised) done(this.#fault('more than'));
    else done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    done(this.#passed === this.#promised ? null : this.#fault(`${this.#passed} of`));
  }

  #fault(found: string): Error {
    return new Error(`a handler's stream has ${found} the ${this.#promised} bytes of its Content-Length`);
  }
}

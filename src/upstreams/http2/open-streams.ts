import { constants } from 'node:http2';
import { MAX_31_BITS, type Frame } from './frames.ts';
import { ProtocolFault } from './http2-faults.ts';
import type { OutboundStream } from './outbound-stream.ts';

/** What most servers of gRPC allow; one that allows less says so when the connection opens. */
const STREAMS_AT_FIRST = 100;

/** The streams of one connection that are under way, by their numbers. */
export class OpenStreams {
  /** How many the other side allows. */
  limit = STREAMS_AT_FIRST;
  readonly #streams = new Map<number, OutboundStream>();
  #nextId = 1;

  get size(): number {
    return this.#streams.size;
  }

  /** Whether a number is left: they are never used again. */
  get hasIds(): boolean {
    return this.#nextId < MAX_31_BITS;
  }

  /** Gives a stream its number. */
  add(stream: OutboundStream): void {
    stream.id = this.#nextId;
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
  }

  /** The stream that a frame is about; undefined when it is gone. @throws {ProtocolFault} when it never was. */
  of({ stream }: Frame): OutboundStream | undefined {
    if (stream % 2 === 0 || stream >= this.#nextId)
      throw new ProtocolFault(
        constants.NGHTTP2_PROTOCOL_ERROR,
        `a frame of stream ${stream}, which nobody opened`,
      );
    return this.#streams.get(stream);
  }

  /** All of them, in the order of their numbers. */
  all(): Iterable<OutboundStream> {
    return this.#streams.values();
  }

  /** Forgets one. */
  delete(stream: OutboundStream): void {
    this.#streams.delete(stream.id);
  }

  /** Forgets all, and returns them. */
  takeAll(): OutboundStream[] {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    return streams;
  }
}

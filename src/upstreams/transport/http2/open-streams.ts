import { constants } from 'node:http2';
import type { CarriedStream } from './carried-stream.ts';
import { MAX_31_BITS, type Frame } from './frames.ts';
import { ProtocolFault } from './http2-faults.ts';

/** What most servers of gRPC allow; one that allows less says so when the connection opens. */
const STREAMS_AT_FIRST = 100;
/** A power of two, well above the streams of one connection at a time. */
const SLOTS = 512;

/**
 * The streams of one connection that are under way, by their numbers. No `Map` for all of them: V8 chains the tables that
 * a map has outgrown, with what was in them, so that calls of long ago stay in memory and every collection copies them.
 */
export class OpenStreams {
  /** How many the other side allows. */
  limit = STREAMS_AT_FIRST;
  readonly #slots = new Array<CarriedStream | undefined>(SLOTS).fill(undefined);
  /** Those that take so long that a new one stands in their place. */
  readonly #late = new Map<number, CarriedStream>();
  #size = 0;
  #nextId = 1;

  get size(): number {
    return this.#size;
  }

  /** Whether a number is left: they are never used again. */
  get hasIds(): boolean {
    return this.#nextId < MAX_31_BITS;
  }

  /** Gives a stream its number. */
  add(stream: CarriedStream): void {
    stream.id = this.#nextId;
    this.#nextId += 2;
    const slot = slotOf(stream.id);
    const late = this.#slots[slot];
    if (late !== undefined) this.#late.set(late.id, late);
    this.#slots[slot] = stream;
    this.#size += 1;
  }

  /** The stream that a frame is about; undefined when it is gone. @throws {ProtocolFault} when it never was. */
  of({ stream: id }: Frame): CarriedStream | undefined {
    if (id % 2 === 0 || id >= this.#nextId)
      throw new ProtocolFault(
        constants.NGHTTP2_PROTOCOL_ERROR,
        `a frame of stream ${id}, which nobody opened`,
      );
    const stream = this.#slots[slotOf(id)];
    return stream?.id === id ? stream : this.#late.get(id);
  }

  /** All of them. */
  all(): CarriedStream[] {
    return [...this.#late.values(), ...this.#slots.filter((stream) => stream !== undefined)];
  }

  /** Forgets one. */
  delete(stream: CarriedStream): void {
    const slot = slotOf(stream.id);
    if (this.#slots[slot] === stream) this.#slots[slot] = undefined;
    else if (!this.#late.delete(stream.id)) return;
    this.#size -= 1;
  }

  /** Forgets all, and returns them. */
  takeAll(): CarriedStream[] {
    const streams = this.all();
    for (const stream of streams) this.delete(stream);
    return streams;
  }
}

/** Numbers of streams are odd. */
function slotOf(id: number): number {
  return (id >>> 1) & (SLOTS - 1);
}

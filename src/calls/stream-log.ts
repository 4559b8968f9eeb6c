import type { ProblemCode } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import type { StreamCall } from './stream-call.ts';

/** What became of one streamed call of an exchange. */
export class StreamRecord {
  readonly call: string;
  readonly upstream: string;
  readonly protocol: StreamCall<never, unknown>['description']['protocol'];
  /** Where it was made, in the terms of who keeps the log. */
  readonly place: unknown;
  /** When its first value was asked for, and so its upstream, in ms since the epoch; undefined before that. */
  openedAtMs: number | undefined = undefined;
  /** How many values it has brought. */
  values = 0;
  /** How it ended: `ok` with its last value, `left` by who read it; undefined while it goes on. */
  outcome: 'ok' | 'left' | ProblemCode | undefined = undefined;

  constructor({ name, upstream, description }: StreamCall<never, unknown>, place: unknown) {
    this.call = name;
    this.upstream = upstream;
    this.protocol = description.protocol;
    this.place = place;
  }
}

/** A stream whose record is kept; it yields and ends as the stream itself does. */
export class FollowedStream<Out> implements AsyncIterableIterator<Out, undefined> {
  readonly #stream: AsyncIterableIterator<Out, undefined>;
  readonly #record: StreamRecord;

  constructor(stream: AsyncIterableIterator<Out, undefined>, record: StreamRecord) {
    this.#stream = stream;
    this.#record = record;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Out, undefined>> {
    const record = this.#record;
    if (record.outcome === undefined) record.openedAtMs ??= Date.now();
    try {
      const result = await this.#stream.next();
      if (result.done === true) record.outcome ??= 'ok';
      else record.values += 1;
      return result;
    } catch (error) {
      record.outcome ??= error instanceof Problem ? error.code : 'internal';
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Out, undefined>> {
    this.#record.outcome ??= 'left';
    return (await this.#stream.return?.()) ?? { done: true, value: undefined };
  }
}

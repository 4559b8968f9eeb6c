import type { Attempt } from '../exchange/exchange.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import type { Call, CallContext, ServedPart } from './call.ts';
import type { StreamCall } from './stream-call.ts';
import { FollowedStream, StreamRecord } from './stream-log.ts';

/**
 * Where the value of a call came from: `upstream` for one that it asked for itself, `batch` for one that was asked
 * for together with others, `memo` and `shared` for the run of an equal call of the same or another exchange.
 */
export type CallSource = ServedPart['source'] | 'memo' | 'shared' | 'batch';

/** What became of one call of an exchange. */
export class CallRecord {
  readonly call: string;
  readonly upstream: string;
  /** Who made it, such as a section of a view; undefined for a plain caller. */
  readonly by: string | undefined;
  /** Where that was, in the terms of who keeps the log. */
  readonly place: unknown;
  /** Whether its declaration has a cache, so that it says how fresh it is. */
  readonly kept: boolean;
  /** On the clock of `performance.now()`. */
  readonly startedAt = performance.now();
  /** The attempts that it made itself; those of a batch belong to the first of its calls. */
  readonly attempts: Attempt[] = [];
  /** How it ended: undefined while it runs. */
  outcome: 'ok' | ProblemCode | undefined = undefined;
  durationMs = 0;
  /** How it was served, when it says so. */
  part: ServedPart | undefined = undefined;
  /** Which layer took it; written by the layers. */
  via: 'upstream' | 'memo' | 'shared' | 'batch' = 'upstream';

  constructor({ name, upstream, plan }: Call<never, unknown>, by: string | undefined, place: unknown) {
    this.call = name;
    this.upstream = upstream;
    this.kept = plan?.cache !== undefined;
    this.by = by;
    this.place = place;
  }

  /** Where its value came from. */
  get source(): CallSource {
    return this.part === undefined || this.part.source === 'upstream' ? this.via : this.part.source;
  }

  /** Takes note of its end. */
  end(outcome: 'ok' | ProblemCode): void {
    this.outcome = outcome;
    this.durationMs = performance.now() - this.startedAt;
  }
}

/**
 * What the calls of one exchange did, for those who asked for it before they were made. An exchange without a log
 * pays nothing for it.
 */
export class CallLog {
  /** The first calls, in their order. */
  readonly records: CallRecord[] = [];
  /** The latest streams, in their order. */
  readonly streams: StreamRecord[] = [];
  /** How many calls and streams there were beyond those that are kept. */
  readonly more = { calls: 0, streams: 0 };
  readonly #placeOf: (() => unknown) | undefined;
  readonly #most: number;

  /**
   * @param placeOf tells where a call is being made.
   * @param most how many records are kept of calls, and of streams; the others are counted. All by default.
   */
  constructor(placeOf?: () => unknown, most = Infinity) {
    this.#placeOf = placeOf;
    this.#most = most;
  }

  /** Makes a call and takes note of it. */
  follow<Out>(
    call: Call<never, Out>,
    context: CallContext,
    make: (context: CallContext) => Promise<Out>,
  ): Promise<Out> {
    const record = new CallRecord(call, context.by?.place, this.#placeOf?.());
    if (this.records.length < this.#most) this.records.push(record);
    else this.more.calls += 1;
    const served = (part: ServedPart): void => {
      record.part = part;
      context.served?.(part);
    };
    const answer = make({ ...context, served, trail: record });
    answer.then(
      () => record.end('ok'),
      (error: unknown) => record.end(error instanceof Problem ? error.code : 'internal'),
    );
    return answer;
  }

  /** Takes note of a stream, from its first value to its end. */
  followStream<Out>(
    call: StreamCall<never, Out>,
    stream: AsyncIterableIterator<Out, undefined>,
  ): AsyncIterableIterator<Out, undefined> {
    const record = new StreamRecord(call, this.#placeOf?.());
    this.noteStream(record);
    return new FollowedStream(stream, record);
  }

  /** Takes over the record of a stream that another log began. */
  noteStream(record: StreamRecord): void {
    this.streams.push(record);
    if (this.streams.length <= this.#most) return;
    // Those that opened first are the first to have ended.
    this.streams.shift();
    this.more.streams += 1;
  }
}

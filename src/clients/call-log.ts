import type { Attempt } from '../exchange/exchange.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import type { Call, CallContext, ServedPart } from './call.ts';

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
  readonly records: CallRecord[] = [];
  readonly #placeOf: (() => unknown) | undefined;

  /** @param placeOf tells where a call is being made. */
  constructor(placeOf?: () => unknown) {
    this.#placeOf = placeOf;
  }

  /** Makes a call and takes note of it. */
  follow<Out>(
    call: Call<never, Out>,
    context: CallContext,
    make: (context: CallContext) => Promise<Out>,
  ): Promise<Out> {
    const record = new CallRecord(call, context.by?.place, this.#placeOf?.());
    this.records.push(record);
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
}

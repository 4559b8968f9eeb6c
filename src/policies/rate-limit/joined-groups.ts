import { STORE_UNAVAILABLE, type StoreGuard, type StoreUnavailable } from '../../store/store-guard.ts';
import { decisionAt } from './joined-takes.ts';
import type { LimitCalls, TakeGroup } from './limit-calls.redis.ts';
import type { Take, TakeOutcome } from './rate-limiter.ts';
import { NUMBERS_PER_KEY } from './token-calls.redis.ts';

/** So many keys keep Redis, which does one thing at a time, for well below a ms. */
const MAX_KEYS = 64;

type Replies = readonly (readonly number[] | undefined)[];

/** Groups that travel together. */
interface Batch {
  readonly groups: TakeGroup[];
  readonly waiting: ((outcomes: readonly TakeOutcome[]) => void)[];
  readonly sent: PromiseWithResolvers<Replies>;
  keys: number;
}

/** Sends what requests take from several limits in one turn of the event loop in one call, when that turn ends. */
export class JoinedGroups {
  readonly #calls: LimitCalls;
  readonly #guard: StoreGuard;
  #leaving: Batch[] = [];

  constructor(calls: LimitCalls, guard: StoreGuard) {
    this.#calls = calls;
    this.#guard = guard;
  }

  /** Takes from all limits of a group, or from none. Never rejects; waits no longer than the guard allows. */
  take(group: TakeGroup): Promise<readonly TakeOutcome[]> {
    return new Promise((resolve) => {
      const batch = this.#open(group.takes.length);
      batch.groups.push(group);
      batch.waiting.push(resolve);
      batch.keys += group.takes.length;
    });
  }

  #open(keys: number): Batch {
    const last = this.#leaving.at(-1);
    return last !== undefined && last.keys + keys <= MAX_KEYS ? last : this.#begin();
  }

  #begin(): Batch {
    const batch: Batch = { groups: [], waiting: [], sent: Promise.withResolvers<Replies>(), keys: 0 };
    if (this.#leaving.length === 0) setImmediate(this.#send);
    this.#leaving.push(batch);
    // The time that a call may take begins with the first of those who wait for it.
    void Promise.resolve(this.#guard.run(() => batch.sent.promise)).then((all) => tell(batch, all));
    return batch;
  }

  readonly #send = (): void => {
    const leaving = this.#leaving;
    this.#leaving = [];
    for (const { groups, sent } of leaving) this.#calls.take(groups).then(sent.resolve, sent.reject);
  };
}

function tell({ groups, waiting }: Batch, replies: Replies | StoreUnavailable): void {
  groups.forEach(({ takes }, index) => {
    const numbers = replies === STORE_UNAVAILABLE ? undefined : replies[index];
    waiting[index]?.(takes.map((take, at) => outcomeAt(numbers, at, take)));
  });
}

function outcomeAt(numbers: readonly number[] | undefined, at: number, { rule }: Take): TakeOutcome {
  if (numbers === undefined) return STORE_UNAVAILABLE;
  return decisionAt(numbers, at * NUMBERS_PER_KEY, rule) ?? STORE_UNAVAILABLE;
}

import { FairQueue, type WaitOptions } from '../../exchange/fair-queue.ts';
import type { ShownSlots } from '../../telemetry/overload-metrics.ts';

/** Whose places they are, for who looks. */
export type PlaceOwner = Pick<ShownSlots, 'route' | 'key'>;

/** One who waits for a place. */
export interface PlaceWaiter {
  /** It has the place now. */
  granted(): void;
  /** There was none in time, or somebody with fewer needed its turn. */
  refused(): void;
}

/** What a place is asked for with. */
export interface PlaceRequest {
  readonly owner: PlaceOwner;
  /** How many may have one. */
  readonly most: number;
  /** How it waits for one. */
  readonly wait: WaitOptions;
}

/** The places that count together: those that are taken, and who waits for one. */
class PlaceGroup {
  readonly owner: PlaceOwner;
  taken = 0;
  readonly queue = new FairQueue<PlaceWaiter>((waiter) => {
    this.mosts.delete(waiter);
    waiter.refused();
  });
  /** How many may be taken, as each sees it who waits: a reload may change it. */
  readonly mosts = new Map<PlaceWaiter, number>();

  constructor(owner: PlaceOwner) {
    this.owner = owner;
  }
}

/**
 * The places of all routes in this process, counted across configurations. A group is there as long as somebody has or awaits a
 * place of it.
 */
export class Places {
  readonly #groups = new Map<string, PlaceGroup>();

  /**
   * Takes a place, or waits for one.
   *
   * @returns `taken`, `waits` for one who hears of it, or `full` for one who cannot even wait.
   */
  take(key: string, { owner, most, wait }: PlaceRequest, waiter: PlaceWaiter): 'taken' | 'waits' | 'full' {
    const group = this.#groupOf(key, owner);
    // Nobody overtakes those who wait.
    if (group.queue.size === 0 && group.taken < most) {
      group.taken += 1;
      return 'taken';
    }
    if (!group.queue.add(waiter, wait)) return 'full';
    group.mosts.set(waiter, most);
    return 'waits';
  }

  /** Gives a place back. */
  release(key: string): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    group.taken -= 1;
    this.#serve(key, group);
  }

  /** Lets one go that does not want to wait any more. */
  leave(key: string, waiter: PlaceWaiter): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    group.mosts.delete(waiter);
    group.queue.delete(waiter);
    this.#serve(key, group);
  }

  /** How many places of a group are taken, and how many wait. */
  look(key: string): { readonly taken: number; readonly waiting: number } {
    const group = this.#groups.get(key);
    return { taken: group?.taken ?? 0, waiting: group?.queue.size ?? 0 };
  }

  /** How many groups there are. */
  get size(): number {
    return this.#groups.size;
  }

  /** Places by route and key; those of single callers are told together. */
  *shown(): Iterable<ShownSlots> {
    const sums = new Map<string, { route: string; key: string; inFlight: number; waiting: number }>();
    for (const { owner, taken, queue } of this.#groups.values()) {
      const id = `${owner.route}\n${owner.key}`;
      const sum = sums.get(id) ?? { ...owner, inFlight: 0, waiting: 0 };
      sum.inFlight += taken;
      sum.waiting += queue.size;
      sums.set(id, sum);
    }
    yield* sums.values();
  }

  #groupOf(key: string, owner: PlaceOwner): PlaceGroup {
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = new PlaceGroup(owner)));
    return group;
  }

  #serve(key: string, group: PlaceGroup): void {
    const { queue, mosts } = group;
    for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
      if (group.taken >= (mosts.get(next) ?? 0)) return;
      queue.take();
      mosts.delete(next);
      group.taken += 1;
      next.granted();
    }
    if (group.taken === 0) this.#groups.delete(key);
  }
}

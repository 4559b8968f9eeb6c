interface Event {
  readonly at: number;
  /** Of two at the same time the one that was planned first comes first. */
  readonly order: number;
  readonly happen: () => void | Promise<void>;
}

const realSetImmediate = setImmediate;

/** A made-up time in ms that goes on from event to event: the same events in the same order, whatever the machine does. */
export class VirtualTime {
  now = 0;
  /** A heap with the earliest event first. */
  readonly #events: Event[] = [];
  #planned = 0;

  /** Plans something for so many ms from now. */
  after(ms: number, happen: Event['happen']): void {
    const events = this.#events;
    const event = { at: this.now + Math.max(0, ms), order: (this.#planned += 1), happen };
    let at = events.push(event) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(event, events[parent]); parent = (at - 1) >> 1) {
      events[at] = events[parent] as Event;
      at = parent;
    }
    events[at] = event;
  }

  /** Does something again and again, for the first time after `firstMs`, until this time has passed its end. */
  every(ms: number, firstMs: number, happen: () => void): void {
    this.after(firstMs, () => {
      happen();
      this.every(ms, ms, happen);
    });
  }

  /** A promise that is kept in so many ms. */
  async sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /**
   * Lets time pass until a moment.
   *
   * @param settles whether promises are let go on after each event, which those need that wait for {@link sleep}.
   */
  async runUntil(end: number, settles = false): Promise<void> {
    for (let next = this.#events[0]; next !== undefined && next.at <= end; next = this.#events[0]) {
      this.#drop();
      this.now = next.at;
      const done = next.happen();
      if (done !== undefined) await done;
      if (settles) await new Promise((resolve) => realSetImmediate(resolve));
    }
    this.now = end;
  }

  #drop(): void {
    const events = this.#events;
    const last = events.pop() as Event;
    if (events.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < events.length && isBefore(events[child + 1] as Event, events[child])) child += 1;
      if (child >= events.length || isBefore(last, events[child])) break;
      events[at] = events[child] as Event;
      at = child;
    }
    events[at] = last;
  }

  /** Has timers and clocks of this process go by this time. @returns what ends that. */
  install(): () => void {
    const { setTimeout, clearTimeout } = globalThis;
    const [performanceNow, dateNow] = [performance.now, Date.now];
    const gone = new Set<unknown>();
    globalThis.setTimeout = ((happen: () => void, ms = 0) => {
      const timer = { unref: () => timer, ref: () => timer };
      this.after(ms, () => void (gone.delete(timer) || happen()));
      return timer;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((timer: unknown) =>
      timer !== undefined && gone.add(timer)) as typeof clearTimeout;
    performance.now = Date.now = () => this.now;
    return () => {
      Object.assign(globalThis, { setTimeout, clearTimeout });
      performance.now = performanceNow;
      Date.now = dateNow;
    };
  }
}

function isBefore(one: Event, other: Event | undefined): boolean {
  return other === undefined || one.at < other.at || (one.at === other.at && one.order < other.order);
}

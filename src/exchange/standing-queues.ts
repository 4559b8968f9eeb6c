/** A queue of requests of this process. */
interface Queue {
  /** See `FairQueue.standingMs`. */
  standingMs(now: number): number;
}

/** Those in which somebody waits. */
const busy = new Set<Queue>();

/** Notes that somebody waits in a queue. */
export function joined(queue: Queue): void {
  busy.add(queue);
}

/** Notes that nobody does any more. */
export function idled(queue: Queue): void {
  busy.delete(queue);
}

/**
 * How long requests of this process wait in the queue where they wait longest, in ms: the least that anybody has waited there since this
 * was asked last. 0 where no queue has stood all the time.
 */
export function longestStandingMs(now: number): number {
  let longest = 0;
  for (const queue of busy) longest = Math.max(longest, queue.standingMs(now));
  return longest;
}

import type { Lane } from './call-memory.ts';
import type { Run } from './flights.ts';

/**
 * Makes the layer that bounds how many runs that one exchange started are under way; the others wait in order. One that was
 * given up while it waited takes its turn for an instant only, because the run itself refuses it.
 */
export function gated<In, Out>(concurrency: number, run: Run<In, Out>): Run<In, Out> {
  const layer = {};
  const next = (lane: Lane): void => {
    const turn = lane.queue.shift();
    // The place passes on without becoming free, so that nobody who comes in between can take it as well.
    if (turn === undefined) lane.running -= 1;
    else turn();
  };
  return async (input, key, passage) => {
    const { lanes } = passage.home;
    let lane = lanes.get(layer);
    if (lane === undefined) lanes.set(layer, (lane = { running: 0, queue: [] }));
    const { queue } = lane;
    if (lane.running < concurrency) lane.running += 1;
    else await new Promise<void>((turn) => queue.push(turn));
    try {
      return await run(input, key, passage);
    } finally {
      next(lane);
    }
  };
}

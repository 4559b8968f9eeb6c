import type { Answer, Exchange } from '../../exchange/exchange.ts';
import type { PolicySet } from '../order.ts';
import type { SeatedStage } from '../seats.ts';
import type { Stage } from '../stage.ts';
import { serverTimingPolicy } from './server-timing.policy.ts';

type Enter = NonNullable<Stage['enter']>;

/** Those that are measured already: some stages are of several routes. */
const timed = new WeakSet<Stage>();

/** Has the stages of a route measured, if its policies say so; nothing is touched otherwise. */
export function timeStages(seated: readonly SeatedStage[], policies: PolicySet): void {
  if (policies.serverTiming === undefined) return;
  for (const { policy, stage } of seated) {
    // The stage itself is kept, and what others know it by.
    const { enter } = stage;
    if (enter === undefined || policy.name === serverTimingPolicy.name || timed.has(stage)) continue;
    if (!Object.isExtensible(stage)) continue;
    timed.add(stage);
    Object.defineProperty(stage, 'enter', { value: timedEnter(policy.name, stage, enter) });
  }
}

function timedEnter(name: string, stage: Stage, enter: Enter): Enter {
  return (exchange) => {
    const { timings } = exchange;
    if (timings === undefined) return enter.call(stage, exchange);
    const enteredAt = performance.now();
    timings.entering();
    let entered: ReturnType<Enter>;
    try {
      entered = enter.call(stage, exchange);
    } catch (error) {
      timings.left(name, enteredAt, performance.now());
      throw error;
    }
    if (entered instanceof Promise) return ended(entered, name, { exchange, enteredAt });
    timings.left(name, enteredAt, performance.now());
    return entered;
  };
}

async function ended(
  entered: Promise<void | Answer>,
  name: string,
  { exchange, enteredAt }: { readonly exchange: Exchange; readonly enteredAt: number },
): Promise<void | Answer> {
  try {
    return await entered;
  } finally {
    exchange.timings?.left(name, enteredAt, performance.now());
  }
}

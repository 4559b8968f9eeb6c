import type { Exchange } from '../exchange/exchange.ts';
import type { Flow } from '../telemetry/flow.ts';
import { shown } from './numbers.ts';
import type { Split } from './traffic-answers.ts';

const [QUEUE, STAGES, UPSTREAM, BODY, COUNT] = [0, 1, 2, 3, 4] as const;
const WORDS = 5;
const PLACES: Readonly<Record<string, number>> = { queue: QUEUE, upstream: UPSTREAM, serialize: BODY };

/** Adds where the time of an exchange went. */
export function noteSplit(flow: Flow, { timings, startedAt }: Exchange, durationMs: number): void {
  if (timings === undefined) return;
  const split = (flow.split ??= new Float64Array(WORDS));
  for (const { name, ms } of timings.parts(startedAt + durationMs)) {
    if (name === 'total') continue;
    const place = PLACES[name] ?? STAGES;
    split[place] = (split[place] as number) + ms;
  }
  split[COUNT] = (split[COUNT] as number) + 1;
}

/** Where the time of requests went on the mean; null where none was watched. */
export function splitOf(flow: Flow | undefined): Split | null {
  const sums = new Float64Array(WORDS);
  for (const split of [flow?.split, flow?.splitBefore])
    split?.forEach((value, index) => (sums[index] = (sums[index] as number) + value));
  const watched = sums[COUNT] as number;
  if (watched === 0) return null;
  const mean = (place: number): number => shown((sums[place] as number) / watched);
  return { queue: mean(QUEUE), stages: mean(STAGES), upstream: mean(UPSTREAM), body: mean(BODY), watched };
}

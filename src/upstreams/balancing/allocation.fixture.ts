import type { Exchange } from '../../exchange/exchange.ts';
import { Target } from '../target.ts';
import { balancerOf } from './balancer.ts';
import type { BalancingOptions } from './balancing.schema.ts';
import { PeakEwma } from './peak-ewma.ts';
import { TargetPool } from './target-pool.ts';

// Run by a plain node: a test runner wraps what the language has, and makes things of its own.
const ROUNDS = 6;
const PICKS = 50_000;
const NONE: readonly Target[] = [];
const exchange = { clientAddress: '203.0.113.7' } as Exchange;
const collect = globalThis.gc as () => void;

/** What so many choices make, in bytes, in the best of some rounds: code that is not compiled yet makes things, too. */
function madeBy(balancing: BalancingOptions, size: number): number {
  const targets = Array.from({ length: size }, (_, at) => {
    const target = new Target({ url: `http://t${at}:80`, weight: 1 + (at % 3), labels: {}, priority: 0 }, {});
    target.latency = new PeakEwma();
    return target;
  });
  const options = { local: undefined, slowStartMs: 0, panicThreshold: 0.25, isStrict: false };
  const pool = new TargetPool({ targets }, balancerOf(balancing), options);
  const pick = (times: number): void => {
    for (let i = 0; i < times; i += 1) pool.choose(exchange, NONE);
  };
  collect();
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.memoryUsage().heapUsed;
    pick(PICKS);
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least;
}

const made: Record<string, number> = {};
for (const balancing of ['roundRobin', 'leastRequests', 'ewma', { consistentHash: 'address' }] as const)
  for (const size of [5, 40]) made[`${JSON.stringify(balancing)} of ${size}`] = madeBy(balancing, size);
process.stdout.write(JSON.stringify(made));

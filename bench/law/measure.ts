import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { SteadyLoad } from '../steady-load.ts';
import { commandsOf } from './commands.ts';
import { LIMITS, type Fleet, type Limited } from './fleet.ts';

/** What was measured of so many replicas with one kind of limit. */
export interface Measured {
  readonly limited: Limited;
  readonly replicas: number;
  readonly requests: number;
  /** Of all gateways, for a request, in the quietest round. */
  readonly cpuUs: number;
  /** Commands that gateways have sent for a request, and those with what their scripts have done; what they send anyway is not counted. */
  readonly sent: number;
  readonly operations: number;
  /** Commands of a replica in a second that nothing is asked of. */
  readonly idle: number;
}

/** How it is measured. */
export interface LawOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Requests of each replica in a second. */
  readonly rate: number;
}

const WARM_UP_S = 2;
const IDLE_S = 4;
/** What is idle is given back within this time, and connections are there. */
const SETTLE_MS = 1500;

/** Measures a number of replicas with all kinds of limits in turn, each replica with as many requests as one alone. */
export async function measureLaw(
  { fleet, redis }: { readonly fleet: Fleet; readonly redis: Redis },
  replicas: number,
  { rounds, seconds, rate }: LawOptions,
): Promise<Measured[]> {
  const origin = await fleet.growTo(replicas);
  const run = async (limited: Limited, forSeconds: number): Promise<number> => {
    const load = new SteadyLoad(`${origin}/${limited}/1`, { perSecond: rate * replicas }).start();
    await sleep(1000 * forSeconds);
    await load.stop();
    const failed = load.seen.find(({ kind }) => kind !== '200');
    if (failed !== undefined) throw new Error(`${limited}, ${replicas} replicas: ${failed.kind}`);
    return load.seen.length;
  };
  for (const limited of LIMITS) await run(limited, WARM_UP_S);
  const idle = await idleOf(redis);
  const found = new Map<Limited, Omit<Measured, 'limited' | 'replicas' | 'idle'>>();
  for (let round = 0; round < rounds; round += 1) {
    for (const limited of LIMITS) {
      const [cpuBefore, before, beganAt] = [fleet.cpuUs, await commandsOf(redis), performance.now()];
      const requests = await run(limited, seconds);
      const elapsedS = (performance.now() - beganAt) / 1000;
      const [cpuAfter, after] = [fleet.cpuUs, await commandsOf(redis)];
      const known = found.get(limited);
      found.set(limited, {
        requests: requests + (known?.requests ?? 0),
        // Whoever else uses the machine only ever adds to it.
        cpuUs: Math.min(known?.cpuUs ?? Infinity, (cpuAfter - cpuBefore) / requests),
        sent: (known?.sent ?? 0) + (after.sent - before.sent - idle.sent * elapsedS),
        operations: (known?.operations ?? 0) + (after.all - before.all - idle.all * elapsedS),
      });
    }
  }
  return [...found].map(([limited, { requests, cpuUs, sent, operations }]) => ({
    limited,
    replicas,
    requests,
    cpuUs,
    sent: sent / requests,
    operations: operations / requests,
    idle: idle.sent / replicas,
  }));
}

/** Commands in a second. */
async function idleOf(redis: Redis): Promise<{ readonly sent: number; readonly all: number }> {
  await sleep(SETTLE_MS);
  const [before, beganAt] = [await commandsOf(redis), performance.now()];
  await sleep(1000 * IDLE_S);
  const after = await commandsOf(redis);
  const elapsedS = (performance.now() - beganAt) / 1000;
  return { sent: (after.sent - before.sent) / elapsedS, all: (after.all - before.all) / elapsedS };
}

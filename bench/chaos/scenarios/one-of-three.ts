import { setTimeout as sleep } from 'node:timers/promises';
import { between, noneFailed, within, type Outcome, type Part, type ScenarioResult } from '../report.ts';
import type { FaultName } from '../target.ts';
import {
  askUsers,
  configOf,
  FIRST_BYTE_MS,
  healingOf,
  untilServed,
  type ChaosTarget,
  type World,
} from '../world.ts';

const NAMES = ['one', 'two', 'three'] as const;
const WAYS = ['roundRobin', 'leastRequests', 'ewma'] as const;
const WARM_MS = 1500;
const BROKEN_MS = 4000;
const AFTER_MS = 1000;
/** The wait before a retry, and an answer. */
const ONE_RETRY_MS = 100;
const SLOW_CALLS_MS = 150;
const FLAPS: readonly (FaultName | 'none')[] = ['none', 'reset', 'error', 'halfClose', 'garbage', 'hang'];
/**
 * Of what is asked while a target cuts its answers, so many may be cut for clients: a few in a row open its breaker. What is under
 * way when it begins to cut may be on top of that: no breaker can help it, and on a loaded machine that is much.
 */
const MOST_CUT = 0.02;

/** What happens to one of three targets. */
interface Misfortune {
  readonly breaks: (victim: ChaosTarget, world: World) => Promise<unknown>;
  readonly heals?: (victim: ChaosTarget) => Promise<unknown>;
  readonly upstream?: (world: World) => object;
  /** What holds for what was asked meanwhile. Default: none of all requests fails. */
  readonly promises?: (during: Part, all: Part, world: World) => readonly Outcome[];
}

/** Each fault of one of three targets under load. */
export const MISFORTUNES: Readonly<Record<string, Misfortune>> = {
  kill: { breaks: (victim) => victim.kill(), heals: (victim) => victim.restart() },
  hang: {
    breaks: told('hang'),
    promises: (during, all, world) => [
      noneFailed(all.seen),
      atMost(during, 0.99, FIRST_BYTE_MS + ONE_RETRY_MS, world),
    ],
  },
  slow: {
    breaks: told('slow'),
    upstream: (world) => ({
      circuitBreaker: {
        ...healingOf(world).circuitBreaker,
        slowCalls: `${Math.round(SLOW_CALLS_MS * world.slowness)}ms`,
      },
    }),
    promises: (during, all, world) => [noneFailed(all.seen), atMost(during, 0.95, SLOW_CALLS_MS, world)],
  },
  reset: { breaks: told('reset') },
  'half-close': { breaks: told('halfClose') },
  cut: { breaks: told('cut'), promises: (during, all) => [neverWhole(all), fewCut(during, all)] },
  garbage: { breaks: told('garbage') },
  flapping: { breaks: flap },
};

/** Runs one of them. */
export async function oneOfThree(world: World, misfortune: Misfortune): Promise<ScenarioResult> {
  const targets = await world.startTargets(NAMES);
  const balancing = WAYS[world.pick(WAYS.length)];
  const upstream = {
    ...healingOf(world),
    balancing,
    ...misfortune.upstream?.(world),
    targets: targets.map(({ url }) => url),
  };
  const gateway = await world.startGateway(configOf(upstream));
  const victim = targets[world.pick(targets.length)] as ChaosTarget;
  const load = askUsers(world, gateway);
  await untilServed(load, NAMES, 0);
  await sleep(WARM_MS + world.pick(500));
  const brokeAt = performance.now();
  await misfortune.breaks(victim, world);
  await sleep(Math.max(0, brokeAt + BROKEN_MS - performance.now()));
  await (misfortune.heals?.(victim) ?? victim.tell('none', 0));
  const healedAt = performance.now();
  const recovery = await untilServed(load, [victim.name], healedAt);
  await sleep(AFTER_MS);
  await load.stop();
  const all = { part: 'all', seen: load.seen };
  const during = { part: `${balancing}, meanwhile`, seen: between(load.seen, brokeAt, healedAt) };
  const parts = [
    { part: 'before', seen: between(load.seen, 0, brokeAt) },
    during,
    { part: 'after', seen: between(load.seen, healedAt) },
  ];
  const promises = misfortune.promises?.(during, all, world) ?? [noneFailed(all.seen)];
  return { parts, outcomes: [...promises, recovered(recovery)] };
}

/** Promises that a target has calls again. */
export function recovered(ms: number): Outcome {
  return { kept: ms !== Infinity, line: `is called again ${ms.toFixed(0)} ms after it is well` };
}

function told(fault: FaultName): Misfortune['breaks'] {
  return (victim, world) => victim.tell(fault, world.pick(2 ** 31));
}

async function flap(victim: ChaosTarget, world: World): Promise<void> {
  for (const until = performance.now() + BROKEN_MS; performance.now() < until;) {
    await victim.tell(FLAPS[world.pick(FLAPS.length)] ?? 'none', world.pick(2 ** 31));
    await sleep(20 + world.pick(400));
  }
}

/** What the machine itself was late by is no time of the gateway. */
function atMost({ seen }: Part, share: number, quietMs: number, { slowness, lateness }: World): Outcome {
  const ms = within(seen, share);
  const slackMs = lateness.slackMs(Math.min(...seen.map(({ dueAt }) => dueAt)));
  const mostMs = quietMs * slowness;
  return {
    kept: ms <= mostMs + slackMs,
    line: `p${share * 100} meanwhile ${ms.toFixed(1)} ms, at most ${mostMs.toFixed(0)}, and ${slackMs.toFixed(0)} that the machine was late`,
  };
}

function neverWhole({ seen }: Part): Outcome {
  const whole = seen.filter(({ kind }) => kind.includes('not the whole')).length;
  return { kept: whole === 0, line: `half an answer is never passed on as a whole one: ${whole} were` };
}

function fewCut({ seen }: Part, all: Part): Outcome {
  const beganAt = Math.min(...seen.map(({ dueAt }) => dueAt));
  const underWay = all.seen.filter(({ dueAt, ms }) => dueAt < beganAt && dueAt + ms >= beganAt);
  const cut = [...underWay, ...seen].filter(({ kind }) => kind !== '200').length;
  const most = Math.floor(MOST_CUT * seen.length) + underWay.length;
  const line = `${cut} requests were cut, at most ${most}: ${100 * MOST_CUT} % of ${seen.length}, and ${underWay.length} under way`;
  return { kept: cut <= most, line };
}

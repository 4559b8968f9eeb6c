import { ranMsOf } from '../core-time.ts';
import type { Pacer, TurnRound } from '../interleaved.ts';
import type { Fleet, Limited } from './fleet.ts';
import { loadOf } from './measure.ts';
import type { Side } from './redis-switch.ts';

/**
 * What a request costs of as many replicas, where they share a Redis and where each has its own: two fleets at the same time, so that
 * whoever else uses the machine slows both, and with parts changed from round to round, so that no process is always on the same side.
 * Two rounds are a block of {@link compareAll}.
 */
export interface Sharing {
  readonly limited: Limited;
  readonly replicas: number;
  readonly shared: readonly TurnRound[];
  /** At the same time as those. */
  readonly apart: readonly TurnRound[];
  /** Both share nothing: how small a difference can be seen. */
  readonly alone: readonly TurnRound[];
  readonly aloneToo: readonly TurnRound[];
}

type Two<T> = readonly [T, T];

/** Which fleet is on which side, in the order in which rounds are made. */
const PARTS: readonly Two<Side>[] = [
  ['shared', 'own'],
  ['own', 'own'],
  ['own', 'shared'],
  ['own', 'own'],
];
const BEFORE_ROUND_S = 2;
/** A process that has little to do collects its garbage every 15 s, which is a tenth of a second: rounds of a second have one or none. */
const ROUND_S = 10;

/** How it is measured. */
export interface SharingOptions {
  readonly limits: readonly Limited[];
  /** Each has four rounds: two in which one fleet shares, and two in which none does. */
  readonly blocks: number;
  /** Requests of each replica in a second. */
  readonly rate: number;
}

/** Measures two fleets that are as large as each other, with a process for the load of each. */
export async function measureSharing(
  fleets: Two<Fleet>,
  pacers: Two<Pacer>,
  { limits, blocks, rate }: SharingOptions,
): Promise<Sharing[]> {
  const found = limits.map((limited) => ({ limited, replicas: fleets[0].replicas, ...noRounds() }));
  for (let block = 0; block < blocks; block += 1) {
    // Backwards in every second block: nobody always follows the same one.
    const parts = block % 2 === 0 ? PARTS : PARTS.toReversed();
    for (const [at, [left, right]] of parts.entries()) {
      await Promise.all([fleets[0].turnTo(left), fleets[1].turnTo(right)]);
      for (const one of found) {
        const run = (seconds: number) => roundOf(fleets, pacers, { limited: one.limited, rate, seconds });
        await run(BEFORE_ROUND_S);
        const both = await run(ROUND_S);
        const isLeftFirst = left === right ? at < 2 : left === 'shared';
        const [first, second] = isLeftFirst ? both : both.toReversed();
        one[left === right ? 'alone' : 'shared'].push(first as TurnRound);
        one[left === right ? 'aloneToo' : 'apart'].push(second as TurnRound);
      }
    }
  }
  return found;
}

function noRounds(): Record<'shared' | 'apart' | 'alone' | 'aloneToo', TurnRound[]> {
  return { shared: [], apart: [], alone: [], aloneToo: [] };
}

async function roundOf(
  fleets: Two<Fleet>,
  pacers: Two<Pacer>,
  { limited, rate, seconds }: { readonly limited: Limited; readonly rate: number; readonly seconds: number },
): Promise<Two<TurnRound>> {
  const before = fleets.map(({ pids }) => ranMsOf(pids));
  const run = (at: 0 | 1) => pacers[at].run({ ...loadOf(fleets[at], limited, rate), seconds });
  const outcomes = await Promise.all([run(0), run(1)]);
  const after = fleets.map(({ pids }) => ranMsOf(pids));
  const round = (at: 0 | 1): TurnRound => {
    const { requests } = outcomes[at];
    const ranMs = (after[at] ?? NaN) - (before[at] ?? NaN);
    // Whatever disturbs one disturbs both.
    return { requests, cost: (1000 * ranMs) / requests, isSpoiled: false };
  };
  return [round(0), round(1)];
}

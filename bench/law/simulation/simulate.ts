import type { Redis } from 'ioredis';
import { renderMarkdown } from '../../table.ts';
import { canaryReplicas, type CanaryOutcome } from './canary-replicas.ts';
import { hintReplicas, type HintOutcome } from './hint-replicas.ts';
import { leaseReplicas, type LeaseOutcome } from './lease-replicas.ts';
import type { RoundTrip } from './redis-model.ts';
import { revocationReplicas, type RevocationOutcome } from './revocation-replicas.ts';

/** Requests of each replica in a second to what is leased, and calls to what dies. */
const LEASED_PER_SECOND = 100;
const CALLS_PER_SECOND = 10;
/** How long leases are simulated, in ms; it begins with all replicas asking for the first time. */
const LEASE_MS = 2000;

/** What is simulated. */
export interface SimulationOptions {
  readonly crowds: readonly number[];
  readonly seed: number;
  readonly trip?: RoundTrip | undefined;
}

/** All that was simulated of so many replicas. */
export interface Simulated {
  readonly replicas: number;
  /** Under a limit that is far above what is asked, and under a third of it. */
  readonly ample: LeaseOutcome;
  readonly scarce: LeaseOutcome;
  readonly hints: HintOutcome;
  readonly canary: CanaryOutcome;
  /** With one revocation a second, and with a hundred. */
  readonly revocations: RevocationOutcome;
  readonly flood: RevocationOutcome;
}

/** How long a rollout and revocations are simulated, in ms. */
export const CANARY_MS = 20_000;
export const REVOCATION_MS = 5000;
export const FLOOD_MS = 2000;

/** Simulates each number of replicas; the same for the same seed. @param redis runs the script of leases, and loses all it has. */
export async function simulate(redis: Redis, options: SimulationOptions): Promise<Simulated[]> {
  const { crowds, seed, trip } = options;
  const simulated = [];
  for (const replicas of crowds) {
    const common = { replicas, seed, trip };
    const leased = (share: number): Promise<LeaseOutcome> => {
      const most = Math.round(share * LEASED_PER_SECOND * replicas);
      const rule = { rate: most, perMs: 1000, burst: most };
      return leaseReplicas(redis, { ...common, rule, perSecond: LEASED_PER_SECOND, ms: LEASE_MS });
    };
    simulated.push({
      replicas,
      ample: await leased(10),
      scarce: await leased(1 / 3),
      hints: await hintReplicas({ ...common, perSecond: CALLS_PER_SECOND, deadMs: 100_000, ms: 200_000 }),
      canary: await canaryReplicas({ ...common, perSecond: 500, errors: 0.0005, ms: CANARY_MS }),
      revocations: await revocationReplicas({ ...common, perSecond: 1, ms: REVOCATION_MS }),
      flood: await revocationReplicas({ ...common, perSecond: 100, ms: FLOOD_MS }),
    });
  }
  return simulated;
}

/** A row for each number of replicas and each thing that they agree about. */
export function renderSimulated(all: readonly Simulated[]): string {
  const head = [
    'what',
    'replicas',
    'admitted of the limit',
    'commands/s',
    'deliveries/s',
    'agreed, ms',
    'Redis, cores',
    'too late',
  ];
  const rows = all.flatMap(({ replicas, ...one }) => {
    const leased = (what: string, { commands, redis, late, ...lease }: LeaseOutcome): string[] => {
      const admitted = `${((100 * lease.admitted) / lease.allowed).toFixed(1)} %`;
      const a = perSecond(commands, LEASE_MS);
      return [
        what,
        String(replicas),
        admitted,
        a,
        '',
        '',
        redis.toFixed(3),
        `${((100 * late) / commands).toFixed(1)} %`,
      ];
    };
    const told = (
      what: string,
      outcome: CanaryOutcome | RevocationOutcome,
      ms: number,
      agreed: number,
    ): string[] => {
      const numbers = [perSecond(outcome.commands, ms), perSecond(outcome.deliveries, ms), agreed.toFixed(1)];
      return [what, String(replicas), '', ...numbers, outcome.redis.toFixed(3), ''];
    };
    const { hints, canary, revocations, flood } = one;
    return [
      leased('one leased limit, ten times what is asked', one.ample),
      leased('one leased limit, a third of what is asked', one.scarce),
      [
        'a target dies: in all, not per second',
        String(replicas),
        '',
        String(hints.publishes),
        String(hints.deliveries),
        hints.agreedMs.toFixed(0),
        `${hints.redisMs.toFixed(1)} ms`,
        '',
      ],
      told('a canary', canary, CANARY_MS, canary.agreedMs),
      told('revocations, one a second', revocations, REVOCATION_MS, revocations.latestMs),
      told('revocations, a hundred a second', flood, FLOOD_MS, flood.latestMs),
    ];
  });
  return renderMarkdown(head, rows);
}

/** A promise, and what became of it. */
export interface Kept {
  readonly kept: boolean;
  readonly line: string;
}

/** How much faster than replicas commands may grow: rounds of chance. */
const SLACK = 1.25;

/** What was promised of many replicas. */
export function judgeSimulated(all: readonly Simulated[]): readonly Kept[] {
  const limits = all.flatMap(({ replicas, ample, scarce }) =>
    [ample, scarce].map(({ admitted, allowed }) => ({
      kept: admitted <= allowed + 1e-6,
      line: `${replicas} replicas let no more pass than a leased limit: ${admitted} of ${Math.round(allowed)}`,
    })),
  );
  const [first, ...others] = all;
  if (first === undefined) return limits;
  const grown = others.flatMap((one) => {
    const times = one.replicas / first.replicas;
    return MESSAGES.map(([what, count]) => {
      const factor = count(one) / count(first);
      const line = `${times} times as many replicas make at most as many times more messages of ${what}: ${factor.toFixed(1)}`;
      return { kept: factor <= times * SLACK, line };
    });
  });
  return [...limits, ...grown];
}

const MESSAGES: readonly (readonly [string, (one: Simulated) => number])[] = [
  ['a leased limit', ({ ample }) => ample.commands],
  ['a leased limit that is used up', ({ scarce }) => scarce.commands],
  ['hints', ({ hints }) => hints.publishes],
  ['a canary', ({ canary }) => canary.commands + canary.deliveries],
  ['revocations', ({ revocations: { commands, deliveries } }) => commands + deliveries],
];

function perSecond(count: number, ms: number): string {
  return ((1000 * count) / ms).toFixed(0);
}

import type { Redis } from 'ioredis';
import { LimiterTally } from '../limiter-tally.ts';
import type { LeaseCall, LeaseReply } from './lease.ts';
import { LEASE_TTL_MS } from './lease.ts';
import { LEASE_SCRIPT } from './lease.lua.ts';

interface WithScript {
  leaseTokens(
    key: string,
    ...args: readonly (string | number)[]
  ): Promise<[number, number, number, number, number, number]>;
}

/** Calls of the script of leases, for one replica. */
export class LeaseCalls {
  readonly #redis: WithScript;
  readonly #replicas: LiveReplicas;
  /** Of all calls of this process: a lease that was forgotten and begins anew does not count from one again. */
  #calls = 0;

  readonly #tally: LimiterTally;

  /** @param tally counts what was found under keys of ours and is no bucket. */
  constructor(redis: Redis, replicas: LiveReplicas, tally = new LimiterTally()) {
    this.#tally = tally;
    redis.defineCommand('leaseTokens', { numberOfKeys: 1, lua: LEASE_SCRIPT });
    this.#redis = redis as Redis & WithScript;
    this.#replicas = replicas;
  }

  /** @throws {Error} when nobody knows what became of it; it is never to be repeated. */
  async send(key: string, call: LeaseCall): Promise<LeaseReply> {
    this.#calls += 1;
    const args = scriptArguments(call, this.#replicas, this.#calls);
    const [passed, block, left, retryMs, kept, repaired] = await this.#redis.leaseTokens(key, ...args);
    this.#tally.repaired += repaired;
    return { passed, block, left, retryMs, kept };
  }
}

/** Who this replica is, and how many there are. */
export interface LiveReplicas {
  readonly id: string;
  readonly count: number;
}

/** What the script is given for a call. */
export function scriptArguments(
  { rule, cost, asked, want, kept, returned, owed }: LeaseCall,
  { id, count }: LiveReplicas,
  number: number,
): (string | number)[] {
  const { rate, perMs, burst } = rule;
  return [rate, perMs, burst, id, number, LEASE_TTL_MS, count, cost, asked, want, kept, returned, owed];
}

import type { Redis } from 'ioredis';
import { STORE_UNAVAILABLE, type StoreGuard, type StoreUnavailable } from '../../store/store-guard.ts';
import { CLAIM_SCRIPT, RELEASE_SCRIPT, WRITE_SCRIPT } from './key-records.lua.ts';
import { lifeOf, type Claim, type Claimed, type KeyRecords, type RecordState } from './key-records.ts';

/** Send EVALSHA; ioredis sends the script itself where the server does not know it (yet, or any more). */
interface WithScripts {
  claimKeyBuffer(name: string, ...rest: (string | number)[]): Promise<readonly unknown[]>;
  writeKey(name: string, ...rest: (string | number | Buffer)[]): Promise<number>;
  releaseKey(name: string, owner: string): Promise<number>;
}

/** What a call may cost, in ms: what carries a key is refused without an answer, which nobody wants for a late one. */
const BUDGET_MS = 50;

/**
 * Keys in Redis, for all replicas, by Redis' clock. A call that has failed is never sent again: whoever made it does not know
 * what became of it.
 */
export class RedisKeyRecords implements KeyRecords {
  readonly isShared = true;
  readonly #redis: WithScripts;
  readonly #guard: StoreGuard;

  constructor(redis: Redis, guard: StoreGuard) {
    redis.defineCommand('claimKey', { lua: CLAIM_SCRIPT, numberOfKeys: 1 });
    redis.defineCommand('writeKey', { lua: WRITE_SCRIPT, numberOfKeys: 1 });
    redis.defineCommand('releaseKey', { lua: RELEASE_SCRIPT, numberOfKeys: 1 });
    this.#redis = redis as unknown as WithScripts;
    this.#guard = guard.forUse('idempotency', { budgetMs: BUDGET_MS });
  }

  async claim(claim: Claim, runsUnknown: boolean): Promise<Claimed | StoreUnavailable> {
    const { name } = claim;
    const reply = await this.#guard.run(() =>
      this.#redis.claimKeyBuffer(name, ...wordsOf(claim, 'claimed'), runsUnknown ? 1 : 0),
    );
    if (reply !== STORE_UNAVAILABLE) return claimedOf(reply);
    // It may have been granted all the same, and would stand in the way of the next try until its lease is over.
    void this.release(claim);
    return STORE_UNAVAILABLE;
  }

  async write(claim: Claim, state: RecordState): Promise<boolean | StoreUnavailable> {
    const isDone = state.state === 'done';
    const call = (): Promise<number> =>
      this.#redis.writeKey(
        claim.name,
        ...wordsOf(claim, state.state),
        state.state,
        isDone ? state.answer : '',
      );
    const reply = await this.#guard.run(call);
    return reply === STORE_UNAVAILABLE ? STORE_UNAVAILABLE : reply === 1;
  }

  async release({ name, owner }: Claim): Promise<boolean | StoreUnavailable> {
    const reply = await this.#guard.run(() => this.#redis.releaseKey(name, owner));
    return reply === STORE_UNAVAILABLE ? STORE_UNAVAILABLE : true;
  }
}

function wordsOf(claim: Claim, state: RecordState['state']): (string | number)[] {
  const { owner, fingerprint, leaseMs } = claim;
  return [owner, fingerprint.head, fingerprint.body, leaseMs, lifeOf(claim, state)];
}

function claimedOf([state, head, body, left, answer]: readonly unknown[]): Claimed {
  const fingerprint = { head: textOf(head), body: textOf(body) };
  switch (textOf(state)) {
    case 'done':
      return { state: 'done', fingerprint, answer: answer as Buffer };
    case 'running':
      return { state: 'running', fingerprint, leftMs: Number(left) };
    case 'unknown':
      return { state: 'unknown', fingerprint };
    default:
      return { state: 'claimed' };
  }
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : (value as Buffer).toString('latin1');
}

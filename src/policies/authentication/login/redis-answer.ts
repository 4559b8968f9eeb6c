import type { Redis } from 'ioredis';
import { lineOf } from '../../../store/redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../../store/store-guard.ts';

/** A request with a session waits for it, and is refused without an answer: longer than a limit, and no longer than people notice. */
const BUDGET_MS = 250;

/** The guard in front of Redis for what has to do with sessions: reads and writes of a log-in fail and recover together. */
export function sessionGuard(
  redis: Redis,
  guard = new StoreGuard({ probe: () => redis.ping(), line: lineOf(redis) }),
): StoreGuard {
  return guard.forUse('sessions', { budgetMs: BUDGET_MS });
}

/** An answer of Redis. Rejects when it has not come in time, and at once while Redis is left alone. */
export async function answerOf<Result>(guard: StoreGuard, ask: () => Promise<Result>): Promise<Result> {
  const answer = await guard.run(ask);
  if (answer === STORE_UNAVAILABLE) throw new Error('Redis did not answer in time');
  return answer;
}

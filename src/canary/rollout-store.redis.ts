import type { Redis } from 'ioredis';
import { z } from 'zod';
import { STORE_UNAVAILABLE, type StoreGuard } from '../store/store-guard.ts';
import type { RolloutChange, RolloutState } from './rollout-state.ts';
import type { Changed, RolloutStore, Synced } from './rollout-store.ts';
import { Tally } from './tally.ts';

/** Not on the path of a request. */
const BUDGET_MS = 500;
/** A rollout that no gateway asks for any more is forgotten. */
const KEEP_SECONDS = 30 * 24 * 3600;
const MAX_CHANGES = 50;
const MAX_CHANGE_LENGTH = 2000;

const READ = `
local function read()
  return redis.call('HMGET', KEYS[1], 'status', 'step', 'version', 'reason')
end`;

const SYNC = `${READ}
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'status', ARGV[2], 'step', ARGV[3], 'version', ARGV[4], 'reason', ARGV[5])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[3], ARGV[1])
for i = 6, #ARGV, 2 do redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[2], ARGV[1])
return { read(), redis.call('HGETALL', KEYS[2]), redis.call('LRANGE', KEYS[3], 0, ${MAX_CHANGES - 1}) }`;

const CHANGE = `${READ}
local now = read()
if now[3] ~= ARGV[2] or now[1] == 'aborted' then return { 0, now } end
redis.call('HSET', KEYS[1], 'status', ARGV[3], 'step', ARGV[4], 'version', ARGV[5], 'reason', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[1])
if ARGV[7] ~= '' then
  redis.call('LPUSH', KEYS[3], ARGV[7])
  redis.call('LTRIM', KEYS[3], 0, ${MAX_CHANGES - 1})
  redis.call('EXPIRE', KEYS[3], ARGV[1])
end
return { 1, read() }`;

type Read = readonly [
  status: string | null,
  step: string | null,
  version: string | null,
  reason: string | null,
];

/** Rollouts in Redis: changed by scripts only, so that of two replicas one is first. */
export class RedisRolloutStore implements RolloutStore {
  readonly #redis: Redis;
  readonly #guard: StoreGuard;

  constructor(redis: Redis, guard: StoreGuard) {
    this.#redis = redis;
    this.#guard = guard.forUse('canaries', { budgetMs: BUDGET_MS });
  }

  async sync(id: string, state: RolloutState, measured: Tally): Promise<Synced | undefined> {
    const told = [KEEP_SECONDS, ...texts(state), ...measured.toFields()];
    const answer = await this.#run(SYNC, id, state.step, told);
    if (answer === undefined) return undefined;
    const [read, fields, changes] = answer as [Read, string[], string[]];
    return { state: stateOf(read), tally: Tally.fromFields(fields), changes: changes.flatMap(changeOf) };
  }

  async change(
    id: string,
    version: number,
    next: RolloutState,
    change: RolloutChange | undefined,
  ): Promise<Changed | undefined> {
    const entry = change === undefined ? '' : JSON.stringify(change);
    const told = [KEEP_SECONDS, version, ...texts(next), entry.length > MAX_CHANGE_LENGTH ? '' : entry];
    const answer = await this.#run(CHANGE, id, next.step, told);
    if (answer === undefined) return undefined;
    const [isDone, read] = answer as [number, Read];
    return { isDone: isDone === 1, state: stateOf(read) };
  }

  async #run(script: string, id: string, step: number, told: readonly (string | number)[]): Promise<unknown> {
    // One slot of a cluster.
    const key = `canary:{${id}}`;
    const call = (): Promise<unknown> =>
      this.#redis.eval(script, 3, key, `${key}:step:${step}`, `${key}:changes`, ...told);
    const answer = await this.#guard.run(call);
    return answer === STORE_UNAVAILABLE ? undefined : answer;
  }
}

function texts({ status, step, version, reason }: RolloutState): (string | number)[] {
  return [status, step, version, reason];
}

const statusSchema = z.enum(['running', 'paused', 'promoted', 'aborted']);

function stateOf([status, step, version, reason]: Read): RolloutState {
  return {
    // Fails closed: what cannot be read, such as of another version of the gateway, leads nobody on.
    status: statusSchema.safeParse(status).data ?? 'paused',
    step: Number(step) || 0,
    version: Number(version) || 0,
    reason: reason ?? '',
  };
}

const side = z.object({ attempts: z.number(), failures: z.number() });
/** What others have written is shown and logged as it is, so that it has to be what it should. */
const changeSchema = z.object({
  at: z.string().max(40),
  from: statusSchema,
  to: statusSchema,
  step: z.number(),
  weight: z.number(),
  reason: z.string(),
  by: z.enum(['gateway', 'operator']),
  canary: side,
  stable: side,
}) satisfies z.ZodType<RolloutChange>;

function changeOf(text: string): RolloutChange[] {
  try {
    const read = changeSchema.safeParse(JSON.parse(text));
    return read.success ? [read.data] : [];
  } catch {
    return [];
  }
}

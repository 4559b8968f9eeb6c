import type { Redis } from 'ioredis';
import { scriptArguments } from '../../../src/policies/rate-limit/leases/lease-calls.redis.ts';
import { LEASE_SCRIPT } from '../../../src/policies/rate-limit/leases/lease.lua.ts';
import { Lease, type LeaseCall, type LeaseReply } from '../../../src/policies/rate-limit/leases/lease.ts';
import type { BucketRule } from '../../../src/policies/rate-limit/rate-limiter.ts';
import { randomFrom } from '../../../test/support/random.ts';
import { BUDGET_MS, COMMAND_US, LEASE_US, LEASE_US_A_HOLDER, SWEEP_MS } from './constants.ts';
import { RedisModel, type RoundTrip } from './redis-model.ts';
import { VirtualTime } from './virtual-time.ts';

/**
 * The production script with its clock replaced by an argument; it tells besides whether it has looked at all who hold some, since that
 * is what takes its time.
 */
export const CLOCKLESS_SCRIPT = LEASE_SCRIPT.replace(
  /local time = .*\nlocal now = .*\n/,
  'local now = tonumber(ARGV[14])\n',
).replace('kept), repaired }', 'kept), repaired, walked and #redis.call("HKEYS", key) or 0 }');
const EPOCH = 1.79e12;
const KEY = 'bucket';

/** How many replicas share one limit, and what is asked of them. */
export interface LeaseWorldOptions {
  readonly replicas: number;
  readonly rule: BucketRule;
  /** Requests of each replica in a second. */
  readonly perSecond: number;
  readonly ms: number;
  readonly seed: number;
  readonly trip?: RoundTrip | undefined;
}

/** What became of it. */
export interface LeaseOutcome {
  readonly asked: number;
  readonly admitted: number;
  /** What burst and rate allow. */
  readonly allowed: number;
  readonly commands: number;
  /** How many calls looked at all who hold some. */
  readonly looks: number;
  /** Of the calls that requests wait for, how many took longer than limits may. */
  readonly late: number;
  /** The share of a core that Redis works. */
  readonly redis: number;
}

interface Replica {
  readonly id: string;
  readonly lease: Lease;
  waiting: number;
  calls: number;
}

/**
 * Replicas that lease one limit: the state machine of production and its script, which a real Redis runs by a made-up clock. What is
 * made up besides is the network, and how long Redis takes for a call: as measured, and more where it looks at all who hold some.
 */
export async function leaseReplicas(redis: Redis, options: LeaseWorldOptions): Promise<LeaseOutcome> {
  const { replicas, rule, perSecond, ms, seed } = options;
  await redis.flushall();
  const time = new VirtualTime();
  const model = new RedisModel(time, seed, options.trip);
  const random = randomFrom(seed + 1);
  let [asked, admitted, late, looks] = [0, 0, 0, 0];
  const all = Array.from({ length: replicas }, (_, index): Replica => {
    return {
      id: `r${index}`,
      lease: new Lease(rule, 0, undefined, { count: replicas }),
      waiting: 0,
      calls: 0,
    };
  });
  const execute = async (replica: Replica, call: LeaseCall): Promise<LeaseReply> => {
    const args = scriptArguments(call, { id: replica.id, count: replicas }, replica.calls);
    const told = await redis.eval(CLOCKLESS_SCRIPT, 1, KEY, ...args, EPOCH + Math.floor(time.now));
    const [passed, block, left, retryMs, kept, , seen] = told as [number, number, number, number, number, number, number]; // prettier-ignore
    admitted += passed * call.cost;
    if (seen > 0) looks += 1;
    model.work(LEASE_US_A_HOLDER * seen);
    return { passed, block, left, retryMs, kept };
  };
  const send = (replica: Replica, count: number, keeps: boolean): void => {
    const call = replica.lease.ask(1, count, keeps, time.now);
    replica.waiting = 0;
    replica.calls += 1;
    model.send(
      COMMAND_US + LEASE_US,
      () => execute(replica, call),
      (reply) => {
        if (count > 0 && time.now - call.sentAt > BUDGET_MS) late += 1;
        replica.lease.told(call, reply, time.now);
        goOn(replica);
      },
    );
  };
  const goOn = (replica: Replica): void => {
    if (replica.lease.isAsking) return;
    let { waiting } = replica;
    // Those that have come meanwhile are served from what is here now.
    for (; waiting > 0; waiting -= 1) {
      const known = replica.lease.take(rule, 1, time.now);
      if (known === undefined) break;
      if (known.allowed) admitted += 1;
    }
    replica.waiting = waiting;
    if (waiting > 0) send(replica, waiting, true);
    else if (replica.lease.runsLow) send(replica, 0, true);
  };
  const request = (): void => {
    const replica = all[Math.floor(random() * replicas)] as Replica;
    asked += 1;
    replica.waiting += 1;
    goOn(replica);
    time.after(-Math.log(1 - random()) * (1000 / (perSecond * replicas)), request);
  };
  const sweep = (replica: Replica): void => {
    if (replica.lease.isIdle(time.now)) send(replica, 0, false);
  };
  for (const replica of all) time.every(SWEEP_MS, random() * SWEEP_MS, () => sweep(replica));
  request();
  await time.runUntil(ms);
  const allowed = rule.burst + (rule.rate * ms) / rule.perMs;
  return { asked, admitted, allowed, commands: model.commands, looks, late, redis: model.busyMs / ms };
}

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/metrics.ts';

const KEY = 'gatehouse:replicas';
const BEAT_MS = 1000;
/** Who has not been heard of for so many beats is gone. */
const BEATS_TO_LIVE = 3;
const GOODBYE_MS = 250;

/**
 * KEYS     a sorted set of ids by when they were last heard of, in ms of Redis' own clock
 * ARGV     id, ms that one lives without a beat, 1 for a beat or 0 to leave
 * Returns  how many there are
 *
 * Whatever else lies under the key goes: nobody else has business there. Times ahead of the clock were written before
 * it was put back; those who are alive write theirs anew with their next beat.
 */
const BEAT_SCRIPT = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
if ARGV[3] == '1' then redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
else redis.call('ZREM', KEYS[1], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`;

/** How a process counts its like. */
export interface ReplicasOptions {
  /** ms between two beats. Default 1000. */
  readonly beatMs?: number;
  /** Where the count is shown. */
  readonly metrics?: Metrics | undefined;
}

interface WithScript {
  beatReplica(key: string, id: string, livesMs: number, isAlive: 0 | 1): Promise<unknown>;
}

/**
 * How many gateway processes share the Redis of this one. Each says once a second that it is there, and counts those that
 * have said so lately; a worker of a cluster is a process like any other. What was counted last holds for as long as Redis
 * tells nothing. Without Redis a process is alone.
 */
export class Replicas implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Of this process, and of no other before or after it. */
  readonly id = randomBytes(9).toString('base64url');
  readonly #redis: (Redis & WithScript) | undefined;
  readonly #beatMs: number;
  /** Counts of the last beats. */
  readonly #lately: number[] = [];
  #count = 1;
  #isBeating = false;
  #beating: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(redis: Redis | undefined, { beatMs = BEAT_MS, metrics }: ReplicasOptions = {}) {
    redis?.defineCommand('beatReplica', { numberOfKeys: 1, lua: BEAT_SCRIPT });
    this.#redis = redis as (Redis & WithScript) | undefined;
    this.#beatMs = beatMs;
    if (metrics !== undefined) this.#show(metrics);
  }

  /** This process and the others that are there; at least 1. */
  get count(): number {
    return this.#count;
  }

  /** Says that this process is there, now and from time to time; waits for nothing. */
  onApplicationBootstrap(): void {
    if (this.#redis === undefined) return;
    this.#timer = setInterval(this.#beat, this.#beatMs).unref();
    // After an outage the next beat could be a second away.
    this.#redis.on('ready', this.#beat);
    this.#beat();
  }

  /** Is there no more: the others need not wait until they notice. Waits a moment at most. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    const left = this.#beating.then(() => this.#say(0));
    await Promise.race([left, sleep(GOODBYE_MS, undefined, { ref: false })]);
  }

  readonly #beat = (): void => {
    // One at a time: a Redis that has stalled would be told all of them at once.
    if (this.#isBeating || this.#timer === undefined) return;
    this.#isBeating = true;
    this.#beating = this.#say(1).finally(() => (this.#isBeating = false));
  };

  /** Never rejects. */
  async #say(isAlive: 0 | 1): Promise<void> {
    try {
      const livesMs = this.#beatMs * BEATS_TO_LIVE;
      this.#heard((await this.#redis?.beatReplica(KEY, this.id, livesMs, isAlive)) ?? 1);
    } catch {
      // The last known count holds. That Redis is gone others say.
    }
  }

  // The most of the last beats: after FLUSHALL, or after a jump of the clock, those that are there have to come back first.
  #heard(count: unknown): void {
    // Fails closed: a share of something that is no number would be no limit at all.
    if (typeof count !== 'number' || !(count >= 1)) return;
    if (this.#lately.push(count) > BEATS_TO_LIVE) this.#lately.shift();
    this.#count = Math.max(1, ...this.#lately);
  }

  #show({ registry }: Metrics): void {
    const count = (): number => this.#count;
    new Gauge({
      name: 'gatehouse_replicas',
      help: 'Gateway processes that share this Redis, as last known; 1 without Redis.',
      registers: [registry],
      collect() {
        this.set(count());
      },
    });
  }
}

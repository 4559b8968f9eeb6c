import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { randomFrom } from '../../../../test/support/random.ts';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import type { BucketRule } from '../rate-limiter.ts';
import { scriptArguments } from './lease-calls.redis.ts';
import { LEASE_SCRIPT } from './lease.lua.ts';
import { SCRIPT_WITHOUT_SUMS } from './lease-without-sums.fixture.ts';
import { Lease, type LeaseCall, type LeaseReply } from './lease.ts';

const CLOCK = /local time = .*\nlocal now = .*\n/;
/** The production script with its clock, and nothing else, replaced by an argument. */
const clockless = (script: string): string => script.replace(CLOCK, 'local now = tonumber(ARGV[14])\n');
const CLOCKLESS_SCRIPT = clockless(LEASE_SCRIPT);
const CLOCKLESS_WITHOUT_SUMS = clockless(SCRIPT_WITHOUT_SUMS);
const EPOCH = 1.79e12;
const SWEEP_MS = 100;

/** What a bucket is: it holds tokens, they flow in, and nobody takes what is not there. Its clock has whole ms. */
class Model {
  used = 0;
  shortest = Infinity;
  #level: number;
  #at = 0;
  readonly #rule: BucketRule;

  constructor(rule: BucketRule) {
    this.#rule = rule;
    this.#level = rule.burst;
  }

  use(tokens: number, now: number): void {
    this.#level = this.#levelAt(now) - tokens;
    this.#at = Math.floor(now);
    this.used += tokens;
    this.shortest = Math.min(this.shortest, this.#level);
  }

  fillTo(tokens: number, now: number): void {
    this.#level = Math.max(this.#levelAt(now), tokens);
    this.#at = Math.floor(now);
  }

  #levelAt(now: number): number {
    const { rate, perMs, burst } = this.#rule;
    const elapsedMs = Math.floor(now) - this.#at;
    return Math.max(this.#level, Math.min(burst, this.#level + (elapsedMs * rate) / perMs));
  }
}

interface Event {
  readonly at: number;
  happen(): void | Promise<void>;
}

interface WorldOptions {
  readonly rule: BucketRule;
  readonly replicas: number;
  /** Requests of each replica in a second. */
  readonly perSecond: number;
  readonly seed: number;
  /** How much goes wrong. */
  readonly faults?: { readonly lost: number; readonly slow: number; readonly crash: number } | undefined;
  /** Every so many replicas are of a version that keeps no sums. Default: none. */
  readonly earlier?: number;
}

class Replica {
  readonly lease: Lease;
  /** Its clock is its own, and runs a little fast or slow. */
  readonly clock: (now: number) => number;
  readonly id: string;
  readonly script: string;
  waiting = 0;
  isAlive = true;
  call = 0;

  constructor(id: string, { rule, earlier }: WorldOptions, now: number, random: () => number) {
    const isEarlier = earlier !== undefined && random() < 1 / earlier;
    this.script = isEarlier ? CLOCKLESS_WITHOUT_SUMS : CLOCKLESS_SCRIPT;
    const [ahead, pace] = [random() * 1e6, 1 + (random() - 0.5) / 200];
    this.id = id;
    this.clock = (at) => ahead + at * pace;
    this.lease = new Lease(rule, this.clock(now));
  }
}

/** Replicas, a network and a bucket, all in one made-up time. */
class World {
  readonly model: Model;
  now = 0;
  calls = 0;
  asked = 0;
  readonly #options: WorldOptions;
  readonly #redis: Redis;
  readonly #random: () => number;
  readonly #events: Event[] = [];
  readonly #replicas: Replica[];
  #born = 0;

  constructor(options: WorldOptions, redis: Redis) {
    this.#options = options;
    this.#redis = redis;
    this.#random = randomFrom(options.seed);
    this.model = new Model(options.rule);
    this.#replicas = Array.from({ length: options.replicas }, () => this.#bear());
  }

  /** Lets time pass, with requests in it. */
  async run(ms: number, cost: () => number = () => 1, perSecond = this.#options.perSecond): Promise<void> {
    const end = this.now + ms;
    const { replicas, faults } = this.#options;
    for (let sweepAt = this.now; this.now < end;) {
      // Requests come when they like.
      const next = this.now - Math.log(1 - this.#random()) * (1000 / (perSecond * replicas));
      await this.#until(Math.min(next, end));
      if (this.now < end) this.#request(cost());
      if (this.now >= sweepAt) sweepAt = this.#sweep();
      if (faults !== undefined && this.#random() < faults.crash) this.#crash();
    }
  }

  /** Redis loses everything. */
  async flush(): Promise<void> {
    await this.#redis.flushall();
    // A full bucket again, beside what replicas hold, which is no more than another one.
    this.model.fillTo(2 * this.#options.rule.burst, this.now);
  }

  #pick(): Replica {
    return this.#replicas[Math.floor(this.#random() * this.#replicas.length)] as Replica;
  }

  #bear(): Replica {
    this.#born += 1;
    return new Replica(`r${this.#born}`, this.#options, this.now, this.#random);
  }

  #crash(): void {
    const index = Math.floor(this.#random() * this.#replicas.length);
    const victim = this.#replicas[index] as Replica;
    victim.isAlive = false;
    this.#replicas[index] = this.#bear();
  }

  #request(cost: number): void {
    const replica = this.#pick();
    this.asked += cost;
    const known = replica.lease.take(this.#options.rule, cost, replica.clock(this.now));
    if (known?.allowed === true) this.model.use(cost, this.now);
    if (known === undefined) replica.waiting += 1;
    if (replica.lease.isAsking) return;
    if (replica.waiting > 0) this.#send(replica, cost, replica.waiting, true);
    else if (replica.lease.runsLow) this.#send(replica, cost, 0, true);
  }

  #sweep(): number {
    for (const replica of this.#replicas)
      if (replica.lease.isIdle(replica.clock(this.now))) this.#send(replica, 1, 0, false);
    return this.now + SWEEP_MS;
  }

  #send(replica: Replica, cost: number, asked: number, keeps: boolean): void {
    const call = replica.lease.ask(cost, asked, keeps, replica.clock(this.now));
    replica.waiting = 0;
    replica.call += 1;
    const args = scriptArguments(call, { id: replica.id, count: this.#replicas.length }, replica.call);
    const { lost = 0, slow = 0 } = this.#options.faults ?? {};
    // A call ends once for its replica; one that has failed may still be heard, before or after the next one.
    let isOver = false;
    const end = (how: () => void): void => {
      if (!isOver && replica.isAlive) how();
      isOver = true;
    };
    const arrives = this.now + this.#delay(slow);
    const back = arrives + this.#delay(slow);
    const isLost = this.#random() < lost;
    if (isLost) this.#at(this.now + 20 * this.#random(), () => end(() => replica.lease.failed()));
    if (isLost && this.#random() < 0.5) return;
    this.#at(arrives, async () => {
      const reply = await this.#execute(replica.script, args, call);
      if (reply === undefined) return;
      const hear = (): void => replica.lease.told(call, reply, replica.clock(this.now));
      this.#at(Math.max(back, this.now), () => end(hear));
    });
  }

  #delay(slow: number): number {
    return this.#random() * (this.#random() < slow ? 1500 * this.#random() : 1);
  }

  async #execute(
    script: string,
    args: readonly (string | number)[],
    call: LeaseCall,
  ): Promise<LeaseReply | undefined> {
    this.calls += 1;
    const now = EPOCH + Math.floor(this.now);
    try {
      const told = await this.#redis.eval(script, 1, 'bucket', ...args, now);
      const [passed, block, left, retryMs, kept] = told as [number, number, number, number, number];
      if (passed > 0) this.model.use(passed * call.cost, this.now);
      return { passed, block, left, retryMs, kept };
    } catch (error) {
      // A call that was overtaken.
      expect(String(error)).toContain('STALE');
      return undefined;
    }
  }

  #at(at: number, happen: Event['happen']): void {
    this.#events.push({ at, happen });
  }

  async #until(now: number): Promise<void> {
    for (;;) {
      let first: Event | undefined;
      for (const event of this.#events) if (first === undefined || event.at < first.at) first = event;
      if (first === undefined || first.at > now) break;
      this.#events.splice(this.#events.indexOf(first), 1);
      this.now = Math.max(this.now, first.at);
      await first.happen();
    }
    this.now = now;
  }
}

describe('leases of a bucket', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedis();
    redis = server.client();
  });

  beforeEach(() => redis.flushall());

  afterAll(() => server.stop());

  it('are tested with the script of production', () => {
    expect(LEASE_SCRIPT).toMatch(CLOCK);
    expect(CLOCKLESS_SCRIPT).not.toContain('TIME');
  });

  it.each([
    { rule: { rate: 1000, perMs: 1000, burst: 200 }, replicas: 4, perSecond: 750 },
    { rule: { rate: 1000, perMs: 1000, burst: 50 }, replicas: 3, perSecond: 200 },
    { rule: { rate: 60, perMs: 60_000, burst: 60 }, replicas: 5, perSecond: 20 },
    { rule: { rate: 1e5, perMs: 1000, burst: 1e5 }, replicas: 2, perSecond: 900 },
  ])(
    'never let more pass than a bucket, whatever is late, lost or crashes: $rule.rate in $rule.perMs ms, burst $rule.burst',
    async (options) => {
      for (const seed of [1, 2]) {
        await redis.flushall();
        const random = randomFrom(seed);
        const faults = { lost: 0.05, slow: 0.1, crash: 0.002 };
        const world = new World({ ...options, seed, faults }, redis);
        for (let phase = 0; phase < 4; phase += 1) {
          await world.run(500, () => 1 + Math.floor(random() * 3));
          // Idle for a while: the bucket fills up, leases lapse or go back.
          await world.run(random() * 1500, () => 1, 1);
        }
        expect(world.model.shortest).toBeGreaterThan(-1e-6);
      }
    },
  );

  it.each([1.2, 2, 10])(
    'never let more pass while replicas of two versions share a bucket, one of %d of the earlier one',
    async (earlier) => {
      const rule = { rate: 1000, perMs: 1000, burst: 200 };
      for (const seed of [7, 8, 9]) {
        await redis.flushall();
        const faults = seed === 7 ? { lost: 0.05, slow: 0.1, crash: 0.005 } : undefined;
        const world = new World({ rule, replicas: 6, perSecond: 0, seed, faults, earlier }, redis);
        for (let phase = 0; phase < 6; phase += 1) {
          // The bucket is as full as it may be beside what is reserved; then all of it is asked for at once.
          await world.run(700, () => 1, 120);
          await world.run(150, () => 1, 3000);
          if (phase === 3) await world.run(1200, () => 1, 1);
        }
        expect(world.model.shortest).toBeGreaterThan(-1e-6);
        // There is something to go wrong.
        expect(world.model.used).toBeGreaterThan(3000);
      }
    },
  );

  it('are what they were without sums, call by call, at moments to which nothing is rounded', async () => {
    const random = randomFrom(8);
    const below = (most: number): number => Math.floor(random() * most);
    const rule = { rate: 500, perMs: 1000, burst: 300 };
    const numbers = new Map<number, number>();
    for (let now = EPOCH, calls = 0; calls < 1500; calls += 1) {
      now += random() < 0.2 ? 125 * below(random() < 0.1 ? 20 : 3) : 0;
      // Clocks are put back now and then, and calls are overtaken.
      if (random() < 0.01) now -= 125 * below(80);
      const id = below(6);
      const number = (numbers.get(id) ?? 0) + (random() < 0.05 ? 0 : 1);
      numbers.set(id, number);
      const kept = below(40);
      const some = { asked: below(4), cost: 1 + below(2), want: below(60), kept, returned: below(10) };
      const call = { rule, owed: random() < 0.1 ? -below(30) : 0, sentAt: 0, ...some };
      const args = scriptArguments(call, { id: `r${id}`, count: 2 }, number);
      const [one, other] = await Promise.all(
        [CLOCKLESS_SCRIPT, CLOCKLESS_WITHOUT_SUMS].map((script, index) =>
          redis
            .eval(script, 1, `bucket-${index}`, ...args, now)
            .catch((error: Error) => error.message.slice(0, 5)),
        ),
      );
      expect({ calls, told: one }).toEqual({ calls, told: other });
    }
  });

  describe('of the script itself', () => {
    const rule = { rate: 1000, perMs: 1000, burst: 200 };
    let repaired = 0;
    const idle = { rule, cost: 1, asked: 0, want: 0, kept: 0, returned: 0, owed: 0, sentAt: 0 };

    async function say(
      id: string,
      call: Partial<LeaseCall>,
      { number = 1, now = 0, script = CLOCKLESS_SCRIPT } = {},
    ): Promise<unknown> {
      const args = scriptArguments({ ...idle, ...call }, { id, count: 1 }, number);
      const reply = (await redis.eval(script, 1, 'bucket', ...args, EPOCH + now)) as number[];
      repaired = reply.pop() ?? NaN;
      return reply;
    }

    it.each<[string, Record<string, string>, number, number]>([
      ['tokens that are no number', { tokens: 'nan', last_refill: String(EPOCH) }, 199, 1],
      ['endless tokens', { tokens: 'inf', last_refill: String(EPOCH) }, 199, 1],
      ['no moment', { tokens: '5', last_refill: '-inf' }, 199, 1],
      ['half of it', { tokens: '5' }, 199, 1],
      ['more tokens than there are', { tokens: '1e300', last_refill: String(EPOCH) }, 199, 0],
      ['an endless reserve', { 'l:b': `1 inf ${String(EPOCH + 500)}` }, 199, 1],
      ['a reserve of less than nothing', { 'l:b': `1 -50 ${String(EPOCH + 500)}` }, 199, 1],
      ['a reserve that never lapses', { 'l:b': '1 5 nan' }, 199, 1],
      ['a reserve of its own that is none', { 'l:a': 'nan nan nan' }, 199, 1],
      [
        'fresh tokens beside a reserve',
        { tokens: 'x', last_refill: 'y', 'l:b': `1 50 ${String(EPOCH + 500)}` },
        149,
        1,
      ],
    ])('begins anew, within the burst, where it finds %s', async (_what, fields, left, count) => {
      await redis.hset('bucket', fields);
      expect(await say('a', { asked: 1 })).toEqual([1, 0, left, 0, 0]);
      expect(repaired).toBe(count);
      // Nothing of it is found again.
      await say('a', { asked: 1 }, { number: 2 });
      expect(repaired).toBe(0);
    });

    it('owes no more than a burst, whatever it finds', async () => {
      await redis.hset('bucket', { tokens: '-1e300', last_refill: String(EPOCH) });
      await say('a', { asked: 1 });
      expect(await say('a', { asked: 1 }, { number: 2, now: 201 })).toEqual([1, 0, 0, 0, 0]);
    });

    it('replaces what is of another type, and counts it', async () => {
      await redis.rpush('bucket', '1');
      expect(await say('a', { asked: 1 })).toEqual([1, 0, 199, 0, 0]);
      expect(repaired).toBe(1);
    });

    it('goes on within a second where it finds a call of its own that nobody has made', async () => {
      await redis.hset('bucket', { 'l:a': `9e15 10 ${String(EPOCH * 2)}` });
      await expect(say('a', { asked: 1 })).rejects.toThrow('STALE');
      expect(await say('a', { asked: 1 }, { number: 2, now: 1001 })).toEqual([1, 0, 189, 0, 0]);
    });

    async function looks(): Promise<number> {
      const stats = await redis.info('commandstats');
      return Number(/^cmdstat_hgetall:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
    }

    it('looks at nobody else, however many hold some, until a reserve has lapsed', async () => {
      const many = Array.from({ length: 300 }, (_, index) => `r${index}`);
      const more = { rule: { rate: 1e5, perMs: 1000, burst: 1e5 }, want: 10 };
      for (const id of many) await say(id, more);
      const before = await looks();
      for (const [index, id] of many.entries())
        await say(id, { ...more, kept: 5, returned: 1 }, { number: 2, now: 300 + index });
      expect(await looks()).toBe(before);
      expect(await redis.hlen('bucket')).toBe(303);
      // None of them has been heard of since; the one look clears up after all.
      await say('late', more, { now: 1800 });
      expect(await looks()).toBe(before + 1);
      expect((await redis.hkeys('bucket')).toSorted()).toEqual([
        'l:late',
        'last_refill',
        'reserved',
        'tokens',
      ]);
    });

    it.each<[string, Record<string, string>]>([
      ['are no text of ours', { reserved: 'a b' }],
      ['are half of a text', { reserved: `${EPOCH + 1000} 100 ${EPOCH + 875}` }],
      ['are nothing that is read', { reserved: 'x' }],
      ['are less than nothing', { reserved: `${EPOCH + 1000} -50` }],
      ['are of moments that there are not', { reserved: `${EPOCH + 999} 100` }],
      ['are of a time to come', { reserved: `${EPOCH + 9000} 100` }],
      ['are less than what it holds itself', { reserved: `${EPOCH + 1000} 10` }],
      ['were not kept by who wrote last', { last_refill: String(EPOCH), 'l:b': `1 0 ${EPOCH + 1000}` }],
    ])('looks at all where the sums %s', async (_what, fields) => {
      await say('a', { want: 1000 });
      await redis.hset('bucket', fields);
      const before = await looks();
      expect(await say('a', { asked: 1, kept: 100 }, { number: 2 })).toEqual([1, 0, 99, 0, 100]);
      expect(await looks()).toBe(before + 1);
      await say('a', { kept: 100 }, { number: 3 });
      expect(await looks()).toBe(before + 1);
    });

    it.each([
      ['by nobody else', [CLOCKLESS_WITHOUT_SUMS, CLOCKLESS_SCRIPT], 50],
      ['after one with sums', [CLOCKLESS_SCRIPT, CLOCKLESS_WITHOUT_SUMS, CLOCKLESS_SCRIPT], 25],
      ['before one with sums', [CLOCKLESS_WITHOUT_SUMS, CLOCKLESS_SCRIPT, CLOCKLESS_SCRIPT], 25],
      ['to one without sums', [CLOCKLESS_SCRIPT, CLOCKLESS_SCRIPT, CLOCKLESS_WITHOUT_SUMS], 25],
    ])(
      'lets nobody have what a replica of another version has reserved: %s',
      async (_what, scripts, left) => {
        // Half of what is there each.
        for (const [at, script] of scripts.entries()) await say(`r${at}`, { want: 1000 }, { script });
        // As much time as would fill the bucket: its room is taken until they lapse, whoever asks.
        for (const script of new Set(scripts.toReversed()))
          expect(await say('late', { asked: 0 }, { now: 900, script })).toEqual([0, 0, left, 0, 0]);
        const script = scripts.at(-1) ?? '';
        expect(await say('late', { asked: 200 }, { number: 2, now: 900, script })).toEqual([
          left,
          0,
          0,
          1,
          0,
        ]);
      },
    );

    it('does not fill the bucket up with what is reserved, before it lapses', async () => {
      expect(await say('a', { want: 1000 })).toEqual([0, 100, 100, 0, 0]);
      expect(await say('b', { asked: 200 }, { now: 900 })).toEqual([100, 0, 0, 1, 0]);
    });

    it('fills it up from the moment at which it has lapsed', async () => {
      await say('a', { want: 1000 });
      expect(await say('b', { asked: 200 }, { now: 1010 })).toEqual([110, 0, 0, 1, 0]);
    });

    it('keeps what a replica has of its reserve, and takes back what it does not keep', async () => {
      await say('a', { want: 1000 });
      expect(await say('a', { kept: 60, returned: 30 }, { number: 2 })).toEqual([0, 0, 130, 0, 60]);
      expect(await say('b', { asked: 200 }, { now: 900 })).toEqual([140, 0, 0, 1, 0]);
    });

    it.each([
      ['has lapsed', () => undefined],
      ['is gone by FLUSHALL', () => redis.flushall()],
    ])('neither keeps nor takes back a reserve that %s', async (_name, happen) => {
      await say('a', { want: 1000 });
      await happen();
      expect(await say('b', { asked: 150 }, { now: 1500 })).toEqual([150, 0, 50, 0, 0]);
      const back = { kept: 60, returned: 40 };
      expect(await say('a', back, { number: 2, now: 1500 })).toEqual([0, 0, 50, 0, 0]);
    });

    it('does nothing for a call that was overtaken', async () => {
      await say('a', { want: 50, asked: 1 }, { number: 2 });
      await expect(say('a', { want: 50, asked: 1 }, { number: 1 })).rejects.toThrow('STALE');
      expect(await say('b', { asked: 1 })).toEqual([1, 0, 148, 0, 0]);
    });

    it('lets a reserve lapse in time when the clock has gone back', async () => {
      await say('a', { want: 1000 }, { now: 3_600_000 });
      expect(await say('b', { asked: 1 }, { now: 0 })).toEqual([1, 0, 99, 0, 0]);
      expect(await say('b', { asked: 300 }, { number: 2, now: 2000 })).toEqual([200, 0, 0, 1, 0]);
    });

    it('owes for what was spent already, no more than a burst', async () => {
      expect(await say('a', { owed: -500 })).toEqual([0, 0, -200, 0, 0]);
      expect(await say('a', { asked: 1 }, { number: 2, now: 200 })).toEqual([0, 0, 0, 1, 0]);
      expect(await say('a', { asked: 1 }, { number: 3, now: 201 })).toEqual([1, 0, 0, 0, 0]);
    });

    it('has everything expire', async () => {
      await say('a', { want: 50 });
      const ttlMs = await redis.pttl('bucket');
      expect(ttlMs).toBeGreaterThan(1000);
      expect(ttlMs).toBeLessThanOrEqual(2125);
    });
  });

  it('let no more pass after FLUSHALL than another full bucket and what was reserved', async () => {
    const rule = { rate: 1000, perMs: 1000, burst: 200 };
    const world = new World({ rule, replicas: 4, perSecond: 500, seed: 3 }, redis);
    for (let flush = 0; flush < 3; flush += 1) {
      await world.run(300);
      await world.flush();
    }
    await world.run(300);
    expect(world.model.shortest).toBeGreaterThan(-1e-6);
  });

  it('let all of the limit pass under three times the limit', async () => {
    const rule = { rate: 1000, perMs: 1000, burst: 100 };
    const world = new World({ rule, replicas: 4, perSecond: 750, seed: 4 }, redis);
    await world.run(2000);
    expect(world.model.shortest).toBeGreaterThan(-1e-6);
    expect(world.model.used).toBeLessThanOrEqual(100 + 2000);
    expect(world.model.used).toBeGreaterThan(0.97 * (100 + 2000));
  });

  it('ask far less often than requests come, as long as there is enough', async () => {
    const rule = { rate: 10_000, perMs: 1000, burst: 10_000 };
    const world = new World({ rule, replicas: 4, perSecond: 1000, seed: 5 }, redis);
    await world.run(1000);
    expect(world.model.used).toBe(world.asked);
    expect(world.calls).toBeLessThan(world.asked / 20);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { Stage } from '../stage.ts';
import { concurrencyPolicy } from './concurrency.policy.ts';
import { ConcurrencyStageFactory } from './concurrency.stage.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const metrics = new Metrics();
const factory = new ConcurrencyStageFactory(metrics);
const stageOf = (options: unknown, routeId: string, from = factory): Stage =>
  from.compile({
    routeId,
    door: 'proxy',
    policies: { concurrency: concurrencyPolicy.schema.parse(options) },
  }) as Stage;

const by = (id: string): Exchange =>
  createExchange({ principal: { id, scheme: 'apiKey', issuer: undefined, subject: undefined } as Principal });

/** What becomes of exchanges that enter a stage. */
class Walk {
  readonly log: string[] = [];
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async enter(name: string, exchange = by(name[0] ?? '')): Promise<Exchange> {
    const entered = (async () => this.#stage.enter?.(exchange))();
    entered.then(
      () => this.log.push(`${name} in`),
      (problem: unknown) => this.log.push(`${name} ${(problem as Problem).code}`),
    );
    await jest.advanceTimersByTimeAsync(0);
    return exchange;
  }
}

const left = (): Problem => new Problem('client-closed');

describe('the concurrency stage', () => {
  it('lets so many in, has so many wait, callers in turn, and refuses the next at once', async () => {
    const walk = new Walk(stageOf({ max: 1, queue: 3 }, 'turns'));
    const first = await walk.enter('a1');
    const second = await walk.enter('a2');
    await walk.enter('a3');
    const third = await walk.enter('b1');
    await walk.enter('a4');
    expect(walk.log).toEqual(['a1 in', 'a4 concurrency-limited']);
    first.close();
    await walk.enter('c1');
    second.close();
    await jest.advanceTimersByTimeAsync(0);
    third.close();
    await jest.advanceTimersByTimeAsync(0);
    expect(walk.log.slice(2)).toEqual(['a2 in', 'b1 in', 'a3 in']);
  });

  it('waits no longer than it may, and then says when to come back', async () => {
    const walk = new Walk(stageOf({ max: 1, wait: '200ms' }, 'timed'));
    await walk.enter('a1');
    await walk.enter('b1');
    await jest.advanceTimersByTimeAsync(199);
    expect(walk.log).toEqual(['a1 in']);
    await jest.advanceTimersByTimeAsync(1);
    expect(walk.log).toEqual(['a1 in', 'b1 concurrency-limited']);
  });

  it('counts each principal for itself, and addresses where there is none', async () => {
    const walk = new Walk(stageOf({ key: 'principal', max: 1, queue: 0 }, 'each'));
    await walk.enter('a1');
    await walk.enter('b1');
    await walk.enter('x1', createExchange());
    await walk.enter('a2');
    await walk.enter('x2', createExchange());
    expect(walk.log).toEqual(['a1 in', 'b1 in', 'x1 in', 'a2 concurrency-limited', 'x2 concurrency-limited']);
  });

  it('counts routes together that say so, and only those', async () => {
    const rule = { key: 'principal', scope: 'gateway', max: 1, queue: 0 };
    const one = new Walk(stageOf(rule, 'one'));
    const two = new Walk(stageOf(rule, 'two'));
    await one.enter('a1');
    await two.enter('a2');
    await new Walk(stageOf({ ...rule, scope: 'route' }, 'three')).enter('a3');
    expect([one.log, two.log]).toEqual([['a1 in'], ['a2 concurrency-limited']]);
  });

  it('frees the place of who leaves, in the queue and under way', async () => {
    const walk = new Walk(stageOf({ max: 1, queue: 1 }, 'leaving'));
    const first = await walk.enter('a1');
    const second = await walk.enter('b1');
    second.cancel(left());
    second.close();
    await walk.enter('c1');
    first.cancel(left());
    first.close();
    await jest.advanceTimersByTimeAsync(0);
    expect(walk.log).toEqual(['a1 in', 'b1 client-closed', 'c1 in']);
  });

  it('gives nobody a place who has left before, and takes back at once what comes too late', async () => {
    const walk = new Walk(stageOf({ max: 1, queue: 0 }, 'late'));
    const gone = by('a');
    gone.cancel(left());
    await walk.enter('a1', gone);
    const closed = by('b');
    closed.close();
    await walk.enter('b1', closed);
    await walk.enter('c1');
    expect(walk.log).toEqual(['a1 client-closed', 'b1 in', 'c1 in']);
  });

  it('keeps no place of all while it waits for one of its own, and gives back what it has when it gets no other', async () => {
    const rules = [
      { key: 'route', max: 2, queue: 0 },
      { key: 'principal', max: 1, queue: 1 },
    ];
    const walk = new Walk(stageOf(rules, 'both'));
    const first = await walk.enter('a1');
    await walk.enter('a2');
    const other = await walk.enter('b1');
    const refused = await walk.enter('c1');
    refused.close();
    expect(walk.log).toEqual(['a1 in', 'b1 in', 'c1 concurrency-limited']);
    other.close();
    await walk.enter('c2');
    first.close();
    await jest.advanceTimersByTimeAsync(0);
    expect(walk.log.slice(3)).toEqual(['c2 in', 'a2 in']);
  });

  it('counts on under another configuration', async () => {
    const before = new Walk(stageOf({ max: 2, queue: 1 }, 'reloaded'));
    const first = await before.enter('a1');
    await before.enter('b1');
    await before.enter('c1');
    const after = new Walk(stageOf({ max: 1, queue: 5 }, 'reloaded'));
    await after.enter('d1');
    first.close();
    await jest.advanceTimersByTimeAsync(0);
    expect([before.log, after.log]).toEqual([['a1 in', 'b1 in', 'c1 in'], []]);
  });

  it('never has more in than it may, and none is lost, on a random schedule', async () => {
    const own = new ConcurrencyStageFactory(metrics);
    const stage = stageOf(
      [
        { max: 3, queue: 4 },
        { key: 'principal', max: 2 },
      ],
      'random',
      own,
    );
    const walk = new Walk(stage);
    const all: Exchange[] = [];
    for (let i = 0; i < 300; i += 1) {
      all.push(await walk.enter(`${'abcd'[i % 4] ?? ''}${i}`));
      const one = all[(i * 7) % all.length];
      if (i % 3 === 0) one?.cancel(left());
      if (i % 2 === 0) one?.close();
      const text = await metrics.registry.getSingleMetricAsString('gatehouse_concurrency_in_flight');
      const inFlight = /route="random",key="route"\} (\d+)/.exec(text)?.[1] ?? '0';
      expect(Number(inFlight)).toBeLessThanOrEqual(3);
    }
    for (const one of all) one.close();
    await jest.advanceTimersByTimeAsync(60_000);
    const walked = walk.log.length;
    expect(walked).toBe(300);
    expect(await metrics.registry.getSingleMetricAsString('gatehouse_concurrency_queued')).not.toMatch(/\}/);
  });

  it('tells two rules of one kind apart from two of different kinds', () => {
    const parse = (options: unknown) => concurrencyPolicy.schema.safeParse(options);
    expect(parse([{ max: 1 }, { max: 2 }]).error?.issues[0]?.message).toBe(
      'expected one rule of key route and scope route, not two',
    );
    expect(parse([{ max: 1 }, { max: 2, scope: 'gateway' }]).success).toBe(true);
    expect(parse({ max: 5 }).data).toEqual([
      { key: 'route', scope: 'route', max: 5, queue: 5, wait: 1000, order: 'fifo' },
    ]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../../test/support/exchange.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { PolicySet } from '../order.ts';
import { spendAt } from '../spending.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import type { QuotaDecision } from './counting.stage.ts';
import { QuotaLedger } from './quota-ledger.ts';
import { quotaKeyOf } from './quota-subject.ts';
import { QuotaCalendar } from './quota-calendar.ts';
import { quotaPolicy } from './quota.policy.ts';
import { QuotaStageFactory } from './quota.stage.ts';

type Asked = Parameters<typeof createExchange>[0];

const DAY = { name: 'q', key: 'global', limit: 10, window: 'day', withoutRedis: 'memory' } as const;

function setUp(rule: object, policies: PolicySet = {}) {
  const ledger = new QuotaLedger();
  const decisions: QuotaDecision[] = [];
  ledger.decided = (_route, decision) => void decisions.push(decision);
  const quota = quotaPolicy.schema.parse({ ...DAY, ...rule });
  const input = { routeId: 'r', door: 'proxy', policies: { quota, ...policies } } as const;
  const stage = new QuotaStageFactory(ledger).compile({ ...input, pathParameters: [] }) as Stage;
  const fates = async (...asked: Asked[]): Promise<string[]> => {
    const found: string[] = [];
    for (const one of asked) found.push(await fateOf(() => stage.enter?.(createExchange(one))));
    return found;
  };
  const used = async (): Promise<number | undefined> => {
    const calendar = new QuotaCalendar('day', 'UTC');
    const terms = { name: 'q', mode: 'look', limit: 10, cost: 1, carryOver: 0, warnAt: 1, calendar } as const;
    return (await ledger.look([quotaKeyOf('all', 'q:day:UTC')], [terms]))?.counts[0]?.used;
  };
  return { stage, fates, used, decisions };
}

async function fateOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return 'passes';
  } catch (error) {
    return (error as Problem).code;
  }
}

const sized = (length: string): Asked => ({ method: 'POST', headers: ['content-length', length] });
const COSTS: readonly (readonly [string, unknown, Asked, number, PolicySet?])[] = [
  ['by method', { methods: { POST: 4 } }, { method: 'POST' }, 4],
  ['by another method', { methods: { POST: 4 }, default: 2 }, { method: 'PUT' }, 2],
  ['by method, free', { methods: { GET: 0 } }, { method: 'GET' }, 0],
  ['by CEL', { cel: "request.method == 'POST' ? 5 : 1" }, { method: 'POST' }, 5],
  ['by CEL, which cannot be told', { cel: "int(request.headers['x-none'])" }, {}, 1],
  ['by CEL, below nothing', { cel: '-3' }, {}, 0],
  ['by size', { perBytes: '1KiB' }, sized('2049'), 3],
  ['by size, of nothing', { perBytes: '1KiB' }, {}, 1],
  ['by size, which nobody knows', { perBytes: '1B' }, { headers: ['transfer-encoding', 'chunked'] }, 10],
  ['by size, of which the route knows a bound', { perBytes: '1KiB' }, { headers: ['transfer-encoding', 'chunked'] }, 4, { bodyLimit: 4096 }], // prettier-ignore
  ['more than the limit', { cel: '1000' }, {}, 10],
  ['ahead of a report', { answerHeader: 'x-cost', ahead: 3 }, {}, 3],
  ['ahead of a query', 'query', {}, 1],
];

describe('what a request takes of a quota', () => {
  it.each(COSTS)('is told %s', async (...row) => {
    const [, cost, asked, taken, policies] = row;
    const { fates, used } = setUp({ cost }, policies);
    expect(await fates(asked)).toEqual(['passes']);
    expect(await used()).toBe(taken);
  });

  it('may be nothing, and then passes when nothing is left', async () => {
    const { fates, used } = setUp({ cost: { methods: { POST: 10, GET: 0 } } });
    const [get, post] = [{ method: 'GET' }, { method: 'POST' }];
    expect(await fates(post, post, get, get)).toEqual(['passes', 'quota-exceeded', 'passes', 'passes']);
    expect(await used()).toBe(10);
  });

  it('is something where there is nothing to be had', async () => {
    const principal = createPrincipal('a', { tier: 'none' });
    const { fates } = setUp({ cost: { cel: '3' }, byTier: { none: 0 } });
    expect(await fates({ principal })).toEqual(['quota-exceeded']);
  });

  it.each([
    [{ cost: 11 }, 'cost'],
    [{ cost: { answerHeader: 'x', ahead: 11 } }, 'cost'],
    [{ cost: { cel: 'request.nothing' } }, 'cost'],
    [{ cost: { methods: { 'a b': 1 } } }, 'cost'],
    [{ cost: 5, byTier: { low: 4 } }, 'byTier'],
  ])('cannot be %j', (rule, key) => {
    const read = quotaPolicy.schema.safeParse({ ...DAY, ...rule });
    // What is wrong with one of several forms stands within.
    expect(JSON.stringify(read.error?.issues)).toContain(`"${key}"`);
  });
});

describe('what a service reports', () => {
  const REPORTS: readonly (readonly [string, string[], number, object?])[] = [
    ['more than was taken', ['X-Cost', '5'], 5],
    ['less', ['x-cost', '1'], 1],
    ['nothing', [], 2],
    ['no number', ['x-cost', '1.5'], 2],
    ['more than there is', ['x-cost', '999999'], 10],
    ['more than it may', ['x-cost', '9'], 7, { atMost: 7 }],
    ['what goes beyond the limit, where it may', ['x-cost', '15'], 15, { atMost: 20 }],
  ];
  it.each(REPORTS)('is charged: %s', async (...row) => {
    const [, fields, taken, more] = row;
    const { stage, used } = setUp({ cost: { answerHeader: 'x-cost', ahead: 2, ...more } });
    const head = await answered(stage, fields);
    expect(head.headers).toEqual(['a', 'b']);
    expect(await used()).toBe(taken);
  });

  it('is charged even if it is not there, and refuses who comes next', async () => {
    const { stage, fates, used } = setUp({ cost: { answerHeader: 'x-cost' } });
    for (let i = 0; i < 3; i += 1) await answered(stage, ['x-cost', '4']);
    expect(await used()).toBe(12);
    expect(await fates({})).toEqual(['quota-exceeded']);
  });

  it('is of no request that no service has worked for', async () => {
    const { stage, used } = setUp({ cost: { answerHeader: 'x-cost' } });
    const head = await answered(stage, ['x-cost', '7'], (exchange) => (exchange.isReplayed = true));
    expect(head.headers).toEqual(['a', 'b']);
    expect(await used()).toBe(1);
  });

  it('is heard by all stages that ask for the same field', async () => {
    const [one, other] = [1, 2].map(() => setUp({ cost: { answerHeader: 'x-cost' } }));
    const exchanges = [createExchange({}), createExchange({})];
    const head: ResponseHead = { status: 200, headers: ['x-cost', '6'] };
    for (const [i, each] of [one, other].entries()) {
      await each?.stage.enter?.(exchanges[i] as Exchange);
      each?.stage.head?.(exchanges[i] as Exchange, head);
    }
    expect([await one?.used(), await other?.used()]).toEqual([6, 6]);
  });

  async function answered(
    stage: Stage,
    fields: string[],
    before: (exchange: Exchange) => unknown = () => undefined,
  ): Promise<ResponseHead> {
    const exchange = createExchange({});
    await stage.enter?.(exchange);
    before(exchange);
    const head: ResponseHead = { status: 200, headers: ['a', 'b', ...fields] };
    stage.head?.(exchange, head);
    return head;
  }
});

describe('what an operation costs', () => {
  const refusing: Stage = {
    spend: () => {
      throw new Problem('rate-limited');
    },
  };
  const run = async (stages: readonly Stage[], cost: number): Promise<string> => {
    const exchange = createExchange({});
    return fateOf(async () => {
      for (const stage of stages) await stage.enter?.(exchange);
      await spendAt(stages, exchange, cost);
    });
  };

  it('is taken once it is known, and given back with what was taken ahead where it is too much', async () => {
    const { stage, used, decisions } = setUp({ cost: 'query' });
    const fates = [];
    for (const cost of [6, 5, 4, 1]) fates.push(await run([stage], cost));
    expect(fates).toEqual(['passes', 'quota-exceeded', 'passes', 'quota-exceeded']);
    expect(await used()).toBe(10);
    expect(decisions.filter((one) => one === 'refused')).toHaveLength(2);
  });

  it('is counted in no quota when something else refuses it', async () => {
    const { stage, used } = setUp({ cost: 'query' });
    expect(await run([refusing, stage], 5)).toBe('rate-limited');
    expect(await run([stage, refusing], 5)).toBe('rate-limited');
    expect(await used()).toBe(0);
  });

  it('is at most the limit, and nothing more where it was expected', async () => {
    const { stage, used } = setUp({ cost: 'query' });
    expect(await run([stage], 5000)).toBe('passes');
    expect(await used()).toBe(10);
    const soft = setUp({ cost: 'query', mode: 'soft' });
    for (const cost of [1, 10, 10]) await run([soft.stage], cost);
    expect(await soft.used()).toBe(21);
  });

  it('is given back with all else for faults of ours', async () => {
    const { stage, used } = setUp({ cost: 'query', giveBack: 'faults' });
    const exchange = createExchange({});
    await stage.enter?.(exchange);
    await spendAt([stage], exchange, 7);
    expect(await used()).toBe(7);
    exchange.problem = new Problem('upstream-unreachable');
    exchange.close();
    expect(await used()).toBe(0);
  });
});

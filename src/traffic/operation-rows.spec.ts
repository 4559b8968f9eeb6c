import { beforeEach, describe, expect, it } from '@jest/globals';
import { FAILED, REFUSED, WELL } from '../telemetry/flow.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { History } from './history.ts';
import { KeptExchanges } from './kept-exchanges.ts';
import { brief, operationAnswer, operationRows, viewAnswer, viewRows } from './operation-rows.ts';
import type { Kept, WaterfallBar } from './traffic-answers.ts';

const START = 1_800_000_000_000;
const bar = (sort: WaterfallBar['sort'], name: string): WaterfallBar => ({
  sort,
  name,
  parent: null,
  startMs: 0,
  durationMs: 1,
  outcome: 'ok',
  failed: false,
});

let metrics: Metrics;
let history: History;
let kept: KeptExchanges;
let now: number;
beforeEach(() => {
  now = START;
  metrics = new Metrics();
  history = new History(metrics.flows, () => now);
  kept = new KeptExchanges();
});
const deps = (): Parameters<typeof operationRows>[0] => ({ metrics, history, kept });

function run(id: string, given: Partial<Kept>): void {
  const usual = {
    traceId: 'f'.repeat(32),
    at: new Date(now).toISOString(),
    method: 'POST',
    path: '/graphql',
  };
  const more = { host: 'a', route: 'graphql', status: 200, ms: 9, client: 'x', reason: 'r', explain: 'e' };
  kept.keep({ ...usual, ...more, id, outcome: 'sample', line: '{}', ...given });
}

describe('operations', () => {
  it('have what they cost in the mean, of those that have run, and what they cost at most', () => {
    const flow = metrics.flows.of('operation', 'query Homepage');
    for (const cost of [10, 30]) {
      flow.count(5, WELL);
      flow.add(cost);
    }
    flow.count(0, REFUSED);
    expect(operationRows(deps())).toMatchObject([
      { name: 'Homepage', type: 'query', cost: 20, costMax: 30, refusedRate: 0.333, errors: [] },
    ]);
  });

  it('without costs, or without a run, say none', () => {
    metrics.flows.of('operation', 'query Free').count(5, WELL);
    metrics.flows.of('operation', 'query Refused').count(5, REFUSED);
    expect(operationRows(deps()).map(({ cost, costMax }) => [cost, costMax])).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  it('tell their commonest faults, those of the time before among them', () => {
    const flow = metrics.flows.of('operation', 'query Orders');
    flow.count(5, FAILED);
    for (let i = 0; i < 14; i += 1) for (let j = 0; j <= i; j += 1) flow.say(`c${i}`);
    flow.codesBefore = new Map([['c0', 100]]);
    const [{ errors } = { errors: [] }] = operationRows(deps());
    expect(errors).toHaveLength(10);
    expect(errors.slice(0, 2)).toEqual([
      { code: 'c0', count: 101 },
      { code: 'c13', count: 14 },
    ]);
  });

  it('are told apart by their type where two have one name', () => {
    metrics.flows.of('operation', 'query Same').count(5, WELL);
    metrics.flows.of('operation', 'mutation Same').count(5, WELL);
    const typeOf = (type?: string): string | undefined =>
      operationAnswer(deps(), 'Same', { type, range: '10m' })?.row.type;
    expect([typeOf(), typeOf('mutation'), typeOf('subscription')]).toEqual(['query', 'mutation', undefined]);
    expect(operationAnswer(deps(), 'Nobody', { range: '10m' })).toBeUndefined();
  });

  it('show the newest run with a waterfall, and runs without bars and lines', () => {
    metrics.flows.of('operation', 'query Homepage').count(5, WELL);
    run('old', { operation: 'query Homepage', waterfall: [bar('operation', 'query Homepage')] });
    run('new', { operation: 'query Homepage' });
    run('other', { operation: 'query Other', waterfall: [bar('operation', 'query Other')] });
    const answer = operationAnswer(deps(), 'Homepage', { range: '10m' });
    expect(answer).toMatchObject({ run: { id: 'old' }, waterfall: [{ name: 'query Homepage' }] });
    expect(answer?.runs.map(({ id }) => id)).toEqual(['new', 'old']);
    expect(answer?.runs.some((one) => 'waterfall' in one || 'line' in one)).toBe(false);
    expect(brief({ ...(answer?.runs[0] as Kept), line: 'x', waterfall: [] })).not.toHaveProperty('line');
  });
});

describe('views', () => {
  it('are their sections: as busy as the busiest, as slow as the slowest, failing as all of them', () => {
    const [user, feed] = ['user', 'feed'].map((name) => metrics.flows.of('section', `homepage ${name}`));
    for (let i = 0; i < 10; i += 1) user?.count(10, WELL);
    for (let i = 0; i < 30; i += 1) feed?.count(i === 0 ? 900 : 20, i < 4 ? FAILED : WELL);
    metrics.flows.of('section', 'profile user').count(1, WELL);
    now += 10_000;
    const [homepage, profile] = viewRows(deps());
    expect(homepage).toMatchObject({ name: 'homepage', sections: 2, rps: 3, errorRate: 0.1 });
    expect(homepage?.p95).toBeGreaterThan(15);
    expect(profile).toMatchObject({ name: 'profile', sections: 1, rps: 0.1 });
  });

  it('have runs in which one of their sections was met, and no others', () => {
    metrics.flows.of('section', 'homepage user').count(1, WELL);
    run('mine', { waterfall: [bar('section', 'homepage.user')] });
    run('of a longer name', { waterfall: [bar('section', 'homepages.user')] });
    run('a call of that name', { waterfall: [bar('call', 'homepage.user')] });
    const answer = viewAnswer(deps(), 'homepage');
    expect(answer).toMatchObject({ name: 'homepage', sections: [{ name: 'user' }], run: { id: 'mine' } });
    expect(answer?.runs.map(({ id }) => id)).toEqual(['mine']);
    expect(viewAnswer(deps(), 'nobody')).toBeUndefined();
  });
});

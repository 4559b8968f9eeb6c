import { beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { DurationHistogram } from './duration-histogram.ts';
import { LabelCounter } from './label-counter.ts';
import { ReadGauge } from './read-gauge.ts';
import { guardOf, MOST_FOLDED } from './series-guard.ts';

const MOST = 100;
let registry: Registry;

beforeEach(() => {
  registry = new Registry();
  guardOf(registry).most = MOST;
});

const lines = async (start: string): Promise<string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith(start));
const folded = (metric: string, count: number) =>
  `gatehouse_metrics_folded_total{metric="${metric}"} ${count}`;

describe('a counter', () => {
  const make = () => new LabelCounter({ name: 'c_total', help: 'c', labels: ['route', 'outcome'] }, registry);

  it('has a series for each, up to the bound, and tells what it has folded', async () => {
    const counter = make();
    for (let i = 0; i < MOST; i += 1) counter.count(`r${i}`, 'ok');
    expect(await lines('c_total')).toHaveLength(MOST);
    expect(await lines('gatehouse_metrics_folded')).toEqual([folded('c_total', 0)]);
    counter.count('one-more', 'ok');
    counter.count('another', 'ok', '', 4);
    counter.count('another', 'bad');
    counter.count('r1', 'ok');
    expect((await lines('c_total')).slice(MOST)).toEqual([
      'c_total{route="other",outcome="ok"} 5',
      'c_total{route="other",outcome="bad"} 1',
    ]);
    expect(await lines('c_total{route="r1"')).toEqual(['c_total{route="r1",outcome="ok"} 2']);
    expect(await lines('gatehouse_metrics_folded')).toEqual([folded('c_total', 6)]);
  });

  it('is bounded even where the labels that stay grow', async () => {
    const counter = make();
    for (let i = 0; i < 5000; i += 1) counter.count(`r${i}`, `outcome-${i}`);
    expect(await lines('c_total')).toHaveLength(MOST + MOST_FOLDED + 1);
    const sum = (await lines('c_total')).reduce((all, line) => all + Number(line.split(' ')[1]), 0);
    expect(sum).toBe(5000);
  });

  it('has room again for what comes, once something is forgotten', async () => {
    const counter = make();
    for (let i = 0; i < MOST; i += 1) counter.count(`r${i}`, 'ok');
    counter.forget(new Set(['r0']));
    counter.count('new', 'ok');
    expect(await lines('c_total{route="new"')).toHaveLength(1);
    expect(await lines('c_total{route="other"')).toEqual([]);
  });

  it('counts a folded tally as such', async () => {
    const counter = make();
    for (let i = 0; i < MOST; i += 1) counter.count(`r${i}`, 'ok');
    const tally = counter.tally('late', 'ok');
    tally.add();
    tally.add(2);
    expect(await lines('c_total{route="other"')).toEqual(['c_total{route="other",outcome="ok"} 3']);
    expect(await lines('gatehouse_metrics_folded')).toEqual([folded('c_total', 3)]);
  });
});

describe('a histogram', () => {
  it('has so many lines, and counts everything else together', async () => {
    const options = { name: 'h_seconds', help: 'h', labels: ['route', 'method'], bounds: [1, 2] };
    const histogram = new DurationHistogram(options, registry);
    // Five lines each: two buckets, +Inf, sum and count.
    for (let i = 0; i < 40; i += 1) histogram.cell({ route: `r${i}`, method: 'GET' }).observe(1.5);
    const counts = await lines('h_seconds_count');
    expect(counts).toHaveLength(MOST / 5 + 1);
    expect(counts.at(-1)).toBe('h_seconds_count{route="other",method="GET"} 20');
    expect(await lines('h_seconds_bucket{le="2",route="other"')).toEqual([
      'h_seconds_bucket{le="2",route="other",method="GET"} 20',
    ]);
    expect(await lines('gatehouse_metrics_folded')).toEqual([folded('h_seconds', 20)]);
  });
});

describe('a gauge that is read', () => {
  const gauge = (of: 'sum' | 'max') =>
    new ReadGauge({ name: 'g', help: 'g', labels: ['upstream', 'target'], of }, registry, (show) => {
      for (let i = 0; i < MOST + 10; i += 1) show(i, 'u', `t${i}`);
    });

  it.each([
    ['sum', 1045],
    ['max', 109],
  ] as const)('shows the %s of what has no room', async (of, value) => {
    gauge(of);
    expect(await lines('g{')).toHaveLength(MOST + 1);
    expect((await lines('g{')).at(-1)).toBe(`g{upstream="u",target="other"} ${value}`);
  });

  it('shows each series once, with what was said last', async () => {
    new ReadGauge({ name: 'g', help: 'g', labels: ['target'] }, registry, (show) => {
      show(1, 'a');
      show(2, 'a');
    });
    expect(await lines('g{')).toEqual(['g{target="a"} 2']);
  });
});

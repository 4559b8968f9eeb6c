import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { ReadGauge, type ReadGaugeOptions, type ShowSeries } from './read-gauge.ts';
import { guardOf } from './series-guard.ts';

function gauge(options: Partial<ReadGaugeOptions>, read: (show: ShowSeries) => void, most = 100) {
  const registry = new Registry();
  guardOf(registry).most = most;
  const one = new ReadGauge({ name: 'g', help: 'g', ...options }, registry, read);
  return () => [...one.slices()].flat().map(({ labels, value }) => [Object.values(labels).join(), value]);
}

describe('a gauge that is read', () => {
  it('shows what there is now, and nothing of what is gone', () => {
    const there = new Map([['a', 1], ['b', 2]]);
    const read = gauge({ labels: ['x'] }, (show) => there.forEach((value, name) => show(value, name)));
    expect(read()).toEqual([['a', 1], ['b', 2]]);
    there.delete('a');
    expect(read()).toEqual([['b', 2]]);
  }); // prettier-ignore

  it('shows a series once, with its last value', () => {
    const read = gauge({ labels: ['x', 'y'] }, (show) => {
      show(1, 'a', 'b');
      show(2, 'a', 'b');
    });
    expect(read()).toEqual([['a,b', 2]]);
  });

  it.each([
    ['sum', 7],
    ['max', 4],
  ] as const)('shows what is too much together, as its %s', (of, value) => {
    const read = gauge({ labels: ['x', 'y'], of }, (show) => [1, 3, 4].forEach((one, at) => show(one, 'a', `t${at}`)), 1);
    expect(read()).toEqual([['a,t0', 1], ['a,other', value]]);
  }); // prettier-ignore

  it('has no labels where it is one number', () => {
    expect(gauge({}, (show) => show(5))()).toEqual([['', 5]]);
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { LabelCounter } from './label-counter.ts';
import { guardOf } from './series-guard.ts';

let registry: Registry;
beforeEach(() => void (registry = new Registry()));

const make = (labels: readonly string[], folds?: readonly number[]): LabelCounter =>
  new LabelCounter({ name: 'c_total', help: 'c', labels, ...(folds && { folds }) }, registry);
const shown = (counter: LabelCounter) =>
  [...counter.slices()].flat().map(({ labels, value }) => [Object.values(labels).join(), value]);

describe('a counter with labels', () => {
  it('counts for each combination, by one or by more', () => {
    const counter = make(['a', 'b', 'c']);
    counter.count('1', '2', '3');
    counter.count('1', '2', '3', 4);
    counter.count('1', '2');
    expect(shown(counter)).toEqual([['1,2,3', 5], ['1,2,', 1]]);
  }); // prettier-ignore

  it('gives the same tally to all who ask for one', () => {
    const counter = make(['a']);
    const tally = counter.tally('x');
    expect(counter.tally('x')).toBe(tally);
    tally.add(2);
    expect(shown(counter)).toEqual([['x', 2]]);
  });

  it('shows nothing more of what is forgotten, or taken out', () => {
    const counter = make(['a', 'b']);
    const tally = counter.tally('gone', '1');
    counter.count('gone', '2');
    counter.count('kept', '1');
    counter.count('kept', '2');
    counter.forget(new Set(['gone']));
    counter.remove('kept', '2');
    tally.add();
    expect(shown(counter)).toEqual([['kept,1', 1]]);
    // Whoever comes again begins anew.
    counter.count('gone', '1');
    expect(shown(counter)).toContainEqual(['gone,1', 1]);
  });

  it('folds the labels that it was told to, and keeps the sum', () => {
    guardOf(registry).most = 1;
    const counter = make(['a', 'b'], [1]);
    counter.count('x', 'first');
    for (const name of ['second', 'third']) counter.count('x', name);
    expect(shown(counter)).toEqual([['x,first', 1], ['x,other', 2]]);
  }); // prettier-ignore

  it('is one number where it has no labels', () => {
    const counter = make([]);
    counter.count();
    expect(shown(counter)).toEqual([['', 1]]);
  });
});

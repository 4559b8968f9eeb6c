import { describe, expect, it } from '@jest/globals';
import { RetryBudget } from './retry-budget.ts';

const SECOND = 1000;

function spendAll(budget: RetryBudget, now = 0): number {
  let spent = 0;
  while (budget.spend(now)) spent += 1;
  return spent;
}

function earn(budget: RetryBudget, requests: number, now = 0): void {
  for (let i = 0; i < requests; i += 1) budget.earn(now);
}

describe('RetryBudget', () => {
  it('has a few retries from the start', () => {
    expect(spendAll(new RetryBudget(0.2))).toBe(3);
  });

  it('earns its share of a retry with every request', () => {
    const budget = new RetryBudget(0.25);
    spendAll(budget);
    earn(budget, 400);
    expect(spendAll(budget)).toBe(100);
  });

  it('holds an outage to the share: as many requests, so many retries', () => {
    const budget = new RetryBudget(0.25);
    spendAll(budget);
    let retries = 0;
    for (let i = 0; i < 400; i += 1) {
      budget.earn(0);
      if (budget.spend(0)) retries += 1;
    }
    expect(retries).toBe(100);
  });

  it('counts a whole retry only when it is whole', () => {
    const budget = new RetryBudget(0.1);
    earn(budget, 9);
    expect(spendAll(budget)).toBe(3);
    earn(budget, 1);
    expect(spendAll(budget)).toBe(1);
  });

  it.each([
    ['until the tenth second is over', 9.999, 20 + 3],
    ['no longer', 10, 3],
  ])('saves what requests earn %s', (_, seconds, retries) => {
    const budget = new RetryBudget(0.2);
    earn(budget, 100, 0);
    expect(spendAll(budget, seconds * SECOND)).toBe(retries);
  });

  it('has the few back when those that were spent are ten seconds old', () => {
    const budget = new RetryBudget(0.2);
    expect(spendAll(budget, 500)).toBe(3);
    expect(spendAll(budget, 10_999)).toBe(0);
    expect(spendAll(budget, 11_000)).toBe(3);
  });

  it('begins an outage after a quiet hour with the few, however busy it was before', () => {
    const budget = new RetryBudget(0.2);
    earn(budget, 1_000_000, 0);
    expect(spendAll(budget, 3600 * SECOND)).toBe(3);
  });

  it('lets no ten seconds of an outage have more than the share and the few, wherever they begin', () => {
    const budget = new RetryBudget(0.2);
    const spent: number[] = [];
    // An hour without a fault, then a minute in which every attempt fails, at a hundred requests a second.
    for (let now = 3_590 * SECOND; now < 3_660 * SECOND; now += 10) {
      budget.earn(now);
      if (now >= 3_600 * SECOND && budget.spend(now)) spent.push(now);
    }
    const worst = spent.map((start) => spent.filter((at) => at >= start && at <= start + 10 * SECOND).length);
    expect(Math.max(...worst)).toBeLessThanOrEqual(1000 * 0.2 + 3);
    expect(Math.max(...worst)).toBeGreaterThan(1000 * 0.15);
  });

  it('of 0% allows none at all', () => {
    const budget = new RetryBudget(0);
    budget.earn(0);
    expect(budget.spend(0)).toBe(false);
  });
});

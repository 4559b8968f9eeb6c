import { describe, expect, it } from '@jest/globals';
import { RetryBudget } from './retry-budget.ts';

function spendAll(budget: RetryBudget): number {
  let spent = 0;
  while (budget.spend()) spent += 1;
  return spent;
}

describe('RetryBudget', () => {
  it('has a few retries from the start', () => {
    expect(spendAll(new RetryBudget(0.2))).toBe(3);
  });

  it('earns its share of a retry with every request', () => {
    const budget = new RetryBudget(0.25);
    spendAll(budget);
    for (let i = 0; i < 400; i += 1) budget.earn();
    expect(spendAll(budget)).toBe(100);
  });

  it('holds an outage to the share: as many requests, so many retries', () => {
    const budget = new RetryBudget(0.25);
    spendAll(budget);
    let retries = 0;
    for (let i = 0; i < 400; i += 1) {
      budget.earn();
      if (budget.spend()) retries += 1;
    }
    expect(retries).toBe(100);
  });

  it('saves no more than a bounded number', () => {
    const budget = new RetryBudget(1);
    for (let i = 0; i < 100_000; i += 1) budget.earn();
    expect(spendAll(budget)).toBeLessThanOrEqual(1001);
  });

  it('of 0% allows none at all', () => {
    const budget = new RetryBudget(0);
    budget.earn();
    expect(budget.spend()).toBe(false);
  });
});

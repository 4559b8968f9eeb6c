import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';

const left = new Problem('client-closed');
const late = new Problem('deadline-exceeded');

describe('Exchange', () => {
  it('has all its fields from the beginning, so that its shape never changes', () => {
    const exchange = createExchange({ method: 'PUT', target: '/a?b=1' });
    const fields = Object.keys(exchange);
    expect(fields).toEqual(
      expect.arrayContaining(['route', 'principal', 'limit', 'cached', 'problem', 'status']),
    );
    exchange.principal = undefined;
    exchange.cancel(left);
    expect(Object.keys(exchange)).toEqual(fields);
    expect(exchange).toMatchObject({ method: 'PUT', path: '/a', query: '?b=1', params: [], attempts: [] });
  });

  it('knows the time that is left', () => {
    const exchange = createExchange();
    expect(exchange.remainingMs()).toBe(Infinity);
    exchange.deadlineAt = performance.now() + 1000;
    expect(exchange.remainingMs()).toBeGreaterThan(500);
    exchange.deadlineAt = performance.now() - 1;
    expect(exchange.remainingMs()).toBe(0);
  });

  it('tells everybody who listens once, with the first reason', () => {
    const exchange = createExchange();
    const heard: [string, Problem][] = [];
    exchange.onCancel((reason) => heard.push(['a', reason]));
    exchange.onCancel((reason) => heard.push(['b', reason]));
    exchange.cancel(left);
    exchange.cancel(late);
    expect(heard).toEqual([
      ['a', left],
      ['b', left],
    ]);
    expect(exchange.cancelled).toBe(left);
  });

  it('tells who comes late at once', () => {
    const exchange = createExchange();
    exchange.cancel(late);
    const heard: Problem[] = [];
    exchange.onCancel((reason) => heard.push(reason));
    expect(heard).toEqual([late]);
  });

  it('forgets a listener', () => {
    const exchange = createExchange();
    const heard: string[] = [];
    const first = () => heard.push('first');
    exchange.offCancel(first);
    exchange.onCancel(first);
    exchange.onCancel(() => heard.push('second'));
    exchange.offCancel(first);
    exchange.cancel(left);
    expect(heard).toEqual(['second']);
  });

  it('gives the same cancellation as a signal, made when it is asked for', () => {
    const exchange = createExchange();
    const { signal } = exchange;
    expect([signal.aborted, exchange.signal === signal]).toEqual([false, true]);
    exchange.cancel(late);
    expect([signal.aborted, signal.reason]).toEqual([true, late]);
    const other = createExchange();
    other.cancel(left);
    expect([other.signal.aborted, other.signal.reason]).toEqual([true, left]);
  });
});

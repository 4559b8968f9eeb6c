import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import { exchangeFor } from '../../../test/support/stage-server.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Stage } from '../stage.ts';
import { deadlinePolicy } from './deadline.policy.ts';
import { DeadlineStageFactory } from './deadline.stage.ts';

const compile = (deadline: number | undefined) =>
  new DeadlineStageFactory().compile({ routeId: 'r', door: 'proxy', policies: { deadline } });

describe('deadlinePolicy', () => {
  it.each(['1ms', '5s', '24d'])('takes %s', (text) => {
    expect(deadlinePolicy.schema.safeParse(text).success).toBe(true);
  });

  // A timer of more than 2^31 ms fires at once.
  it.each(['0s', '25d', '5', 5])('refuses %s', (value) => {
    expect(deadlinePolicy.schema.safeParse(value).success).toBe(false);
  });
});

describe('DeadlineStage', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  function enterAfter(elapsedMs: number): Exchange {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    const exchange = createExchange();
    jest.advanceTimersByTime(elapsedMs);
    void (compile(1000) as Stage).enter?.(exchange);
    return exchange;
  }

  it('is absent without a deadline', () => {
    expect(compile(undefined)).toBeUndefined();
  });

  it('counts from the first byte of the request', () => {
    const exchange = enterAfter(400);
    expect(exchange.deadlineAt).toBe(exchange.startedAt + 1000);
    expect(exchange.remainingMs()).toBe(600);
  });

  it('cancels the exchange when the budget is spent, not before', () => {
    const exchange = enterAfter(400);
    jest.advanceTimersByTime(599);
    expect(exchange.cancelled).toBeUndefined();
    jest.advanceTimersByTime(1);
    expect(exchange.cancelled?.code).toBe('deadline-exceeded');
    expect(exchange.remainingMs()).toBe(0);
  });

  it('throws when the budget was spent before it was reached', () => {
    expect(() => enterAfter(1000)).toThrow('The deadline of the request has passed');
  });

  it('holds no timer once the exchange is closed', () => {
    const exchange = enterAfter(0);
    expect(jest.getTimerCount()).toBe(1);
    exchange.close();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves an answer alone whose head is out', async () => {
    const exchanges: Exchange[] = [];
    const server = createServer((request, response) => {
      const exchange = exchangeFor(request, response);
      exchanges.push(exchange);
      void (compile(20) as Stage).enter?.(exchange);
      response.writeHead(200).write('begun');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(exchanges[0]?.remainingMs()).toBe(0);
    expect(exchanges[0]?.cancelled).toBeUndefined();
    exchanges[0]?.response.end();
    expect(await answer.text()).toBe('begun');
    server.close();
    server.closeAllConnections();
  });
});

import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { accessLine } from './access-line.ts';

describe(accessLine.name, () => {
  it('is one line of JSON with what is known of the exchange', () => {
    const exchange = createExchange({
      method: 'POST',
      target: '/orders?token=secret&page=2',
      principal: createPrincipal('1'),
    });
    exchange.upstream = 'orders';
    exchange.attempts.push({ target: 'a:1', outcome: 'reset' }, { target: 'b:1', outcome: '200' });
    exchange.status = 200;
    exchange.bytesOut = 17;
    const line = accessLine(exchange, 1.23456, true);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual({
      level: 30,
      time: expect.any(Number),
      id: 'exchange-1',
      traceId: exchange.trace.traceId,
      spanId: exchange.trace.spanId,
      method: 'POST',
      path: '/orders?token=&page=',
      status: 200,
      durationMs: 1.235,
      client: '203.0.113.7',
      principal: '1',
      upstream: 'orders',
      target: 'b:1',
      attempts: exchange.attempts,
      bytes: 17,
      msg: 'exchange',
    });
  });

  it('says what refused it, that it was cut, and that it came from the cache', () => {
    const exchange = createExchange();
    exchange.problem = new Problem('circuit-open', { cause: new Error('with "quotes"') });
    exchange.cached = { status: 200, headers: [], body: Buffer.alloc(0) };
    expect(JSON.parse(accessLine(exchange, 0, false))).toMatchObject({
      cut: true,
      cache: 'hit',
      refused: { code: 'circuit-open', fault: 'with "quotes"' },
    });
  });

  it.each([
    ['quotes', 'a"b'],
    ['backslashes', 'a\\b\\'],
    ['line breaks', 'a\r\n{"level":60}'],
    ['control characters', '\u0000\u001b[31m\u007f'],
    ['half of a pair', 'a\ud800b'],
    ['letters beyond ASCII', 'Zoë 😀\u2028'],
  ])('writes %s so that nobody can forge a line', (_, text) => {
    const exchange = createExchange({ principal: createPrincipal(text) });
    exchange.upstream = text;
    const line = accessLine(exchange, 1, true);
    expect(line.split('\n')).toHaveLength(2);
    expect(JSON.parse(line)).toMatchObject({ principal: text, upstream: text });
  });
});

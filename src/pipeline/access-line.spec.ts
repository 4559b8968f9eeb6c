import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { PlainFault } from '../telemetry/error-facts.ts';
import { accessLine } from './access-line.ts';

describe(accessLine.name, () => {
  it('is one line of JSON with what is known of the exchange', () => {
    const exchange = createExchange({
      method: 'POST',
      target: '/orders?token=secret&page=2',
      principal: createPrincipal('1'),
    });
    exchange.upstream = 'orders';
    exchange.attempts.push(
      { target: 'a:1', outcome: 'reset', durationMs: 1.23456 },
      { target: 'b:1', outcome: '200', durationMs: 2 },
    );
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
      attempts: [
        { target: 'a:1', outcome: 'reset', durationMs: 1.235 },
        { target: 'b:1', outcome: '200', durationMs: 2 },
      ],
      bytes: 17,
      msg: 'exchange',
    });
  });

  it('says what refused it, that it was cut, and that it came from the cache', () => {
    const exchange = createExchange();
    exchange.problem = new Problem('circuit-open', { cause: new PlainFault('with "quotes"') });
    exchange.cached = { status: 200, headers: [], body: Buffer.alloc(0) };
    expect(JSON.parse(accessLine(exchange, 0, false))).toMatchObject({
      cut: true,
      cache: 'hit',
      refused: { code: 'circuit-open', fault: 'with "quotes"' },
    });
  });

  it('names the rule that refused, and not what the error behind it says', () => {
    const exchange = createExchange();
    const cause = Object.assign(new SyntaxError('Unexpected token in "s3cret"'), { code: 's3cret' });
    const first = new Problem('permission-denied', { cause });
    exchange.problem = new Problem('permission-denied', { cause: first, by: 'anyRole(admin)' });
    expect(JSON.parse(accessLine(exchange, 0, true))['refused']).toEqual({
      stage: 'authorize',
      code: 'permission-denied',
      by: 'anyRole(admin)',
      fault: 'SyntaxError',
    });
  });

  it('bounds every text and list', () => {
    const long = 'x'.repeat(10_000);
    const exchange = createExchange({
      target: `/${long}?${'a=1&'.repeat(2000)}`,
      principal: createPrincipal(long),
    });
    for (let i = 0; i < 500; i += 1)
      exchange.attempts.push({ target: `t${i}:1`, outcome: '503', durationMs: i });
    exchange.degraded = Array.from({ length: 500 }, (_, i) => ({
      section: `${i}${long}`,
      code: 'x',
      via: 'null',
    }));
    exchange.problem = new Problem('permission-denied', { by: long });
    const line = accessLine(exchange, 1, true);
    expect(line.length).toBeLessThan(8000);
    const { path, attempts, degraded } = JSON.parse(line) as Record<string, unknown[]>;
    expect(path).toBe(`/${long.slice(0, 1023)}…?${'a=&'.repeat(16)}…`);
    expect(attempts).toHaveLength(21);
    expect(attempts?.[0]).toEqual({ left: 480 });
    expect(attempts?.at(-1)).toMatchObject({ target: 't499:1' });
    expect(degraded).toHaveLength(21);
    expect(degraded?.at(-1)).toEqual({ left: 480 });
  });

  it('shows no list for what is within its bound', () => {
    const exchange = createExchange();
    for (let i = 0; i < 20; i += 1) exchange.attempts.push({ target: 't:1', outcome: '503', durationMs: i });
    expect((JSON.parse(accessLine(exchange, 1, true)) as { attempts: unknown[] }).attempts).toHaveLength(20);
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

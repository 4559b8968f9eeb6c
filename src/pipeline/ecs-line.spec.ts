import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { PlainFault } from '../telemetry/error-facts.ts';
import { ecsLine } from './ecs-line.ts';

const NOTHING = { labels: '', own: '' };

describe(ecsLine.name, () => {
  it('says a success in fields of the schema', () => {
    const exchange = createExchange({
      method: 'POST',
      target: '/orders?token=secret&page=2',
      principal: createPrincipal('1'),
    });
    exchange.upstream = 'orders';
    exchange.attempts.push({ target: 'b:1', outcome: '200', durationMs: 2 });
    exchange.status = 201;
    exchange.bytesOut = 17;
    exchange.request.httpVersion = '2.0';
    const line = ecsLine(exchange, 1.5, true, { labels: ',"labels":{"a":"b"}', own: ',"standsFor":1' });
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual({
      '@timestamp': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      'log.level': 'info',
      message: 'POST /orders 201',
      'ecs.version': '8.11.0',
      event: {
        kind: 'event',
        category: ['web'],
        type: ['access'],
        dataset: 'gatehouse.access',
        outcome: 'success',
        duration: 1_500_000,
      },
      http: {
        version: '2.0',
        request: { id: 'exchange-1', method: 'POST' },
        response: { status_code: 201, body: { bytes: 17 } },
      },
      url: { scheme: exchange.scheme, path: '/orders', query: 'token=&page=' },
      client: { address: '203.0.113.7', ip: '203.0.113.7' },
      trace: { id: exchange.trace.traceId },
      span: { id: exchange.trace.spanId },
      user: { id: '1' },
      service: { target: { name: 'orders', address: 'b:1' } },
      labels: { a: 'b' },
      gatehouse: { attempts: [{ target: 'b:1', outcome: '200', durationMs: 2 }], standsFor: 1 },
    });
  });

  it('says why it failed', () => {
    const exchange = createExchange();
    exchange.problem = new Problem('permission-denied', {
      by: 'anyRole(admin)',
      cause: new PlainFault('x"y'),
    });
    exchange.status = 403;
    expect(JSON.parse(ecsLine(exchange, 1, false, NOTHING))).toMatchObject({
      event: { outcome: 'failure', reason: 'anyRole(admin)' },
      error: { code: 'permission-denied', type: 'x"y' },
      gatehouse: { stage: 'authorize', cut: true },
    });
  });

  it.each(['a"b', 'a\\', 'a\r\n{"@timestamp":""}', '\u0000', 'a\ud800b', 'Zoë 😀\u2028'])(
    'writes %j so that nobody can forge a line',
    (text) => {
      const exchange = createExchange({ principal: createPrincipal(text) });
      exchange.upstream = text;
      const line = ecsLine(exchange, 1, true, NOTHING);
      expect(line.split('\n')).toHaveLength(2);
      expect(JSON.parse(line)).toMatchObject({
        user: { id: text },
        service: { target: { name: text } },
        gatehouse: {},
      });
    },
  );
});

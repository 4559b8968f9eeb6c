import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { logsSchema } from '../routing/logs.schema.ts';
import { redactNames } from '../telemetry/secret-names.ts';
import { compileAccessLog } from './access-log.ts';
import type { AccessLines } from '../snapshot/edge.ts';
import type { Exchange } from '../exchange/exchange.ts';

function compiled(options: object, random?: () => number): AccessLines {
  const lines = compileAccessLog(logsSchema.parse(options), random);
  if (lines === undefined) throw new Error('expected lines of their own');
  return lines;
}

function answered(status: number, options: Parameters<typeof createExchange>[0] = {}): Exchange {
  return Object.assign(createExchange(options), { status });
}

const parsed = (line: string | undefined): Record<string, unknown> =>
  JSON.parse(line ?? '') as Record<string, unknown>;

describe('what nobody has configured', () => {
  it('is the usual line, without anything in its way', () => {
    expect(compileAccessLog(logsSchema.parse(undefined))).toBeUndefined();
    expect(compileAccessLog(logsSchema.parse({ buffer: '1MiB' }))).toBeUndefined();
  });
});

describe('a sample', () => {
  const sample = { successes: '1%' };

  it('keeps successes by chance, each with how many it stands for', () => {
    expect(compiled({ sample }, () => 0.01)(answered(200), 1, true)).toBeUndefined();
    expect(parsed(compiled({ sample }, () => 0.009)(answered(200), 1, true))).toMatchObject({
      standsFor: 100,
      msg: 'exchange',
    });
    expect(parsed(compiled({ sample: { successes: '30%' } }, () => 0)(answered(200), 1, true))).toMatchObject(
      { standsFor: 3.333 },
    );
  });

  it('estimates how many there were', () => {
    let seed = 1;
    // Park and Miller's generator, so that the test is the same every time.
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const write = compiled({ sample: { successes: '5%' } }, random);
    let estimate = 0;
    for (let i = 0; i < 20_000; i += 1) {
      const line = write(answered(204), 1, true);
      if (line !== undefined) estimate += Number(parsed(line)['standsFor']);
    }
    expect(Math.abs(estimate - 20_000)).toBeLessThan(2000);
  });

  it('keeps none with 0%, and all with 100%', () => {
    expect(compiled({ sample: { successes: '0%' } }, () => 0)(answered(200), 1, true)).toBeUndefined();
    const all = compiled({ sample: { successes: '100%' } }, () => 0.999_999);
    expect(parsed(all(answered(200), 1, true))['standsFor']).toBe(1);
  });

  it.each<[string, Exchange, number, boolean]>([
    ['an error of the upstream', answered(502), 1, true],
    ['an error of the client', answered(404), 1, true],
    ['a refusal', Object.assign(answered(200), { problem: new Problem('rate-limited') }), 1, true],
    ['what would have been refused', Object.assign(answered(200), { shadowDenied: 'anyRole(admin)' }), 1, true],
    ['a slow one', answered(200), 1000, true],
    ['one that was cut', answered(200), 1, false],
    ['a call of gRPC that has failed', Object.assign(answered(200), { grpcStatus: 'UNAVAILABLE' }), 1, true],
    ['one with parts missing', Object.assign(answered(200), { degraded: [{ section: 'a', code: 'x', via: 'null' }] }), 1, true],
  ])('always keeps %s', (_, exchange, durationMs, complete) => {
    for (const format of ['json', 'ecs', 'combined']) {
      const line = compiled({ format, sample }, () => 0.999)(exchange, durationMs, complete);
      expect(line).toMatch(/"?standsFor"?[:=]"?1\b/);
    }
  }); // prettier-ignore

  it('goes by its own bound of what is slow', () => {
    const write = compiled({ sample: { successes: '1%', slow: '20ms' } }, () => 0.999);
    expect(write(answered(200), 19.9, true)).toBeUndefined();
    expect(write(answered(200), 20, true)).toBeDefined();
  });
});

describe('fields', () => {
  const principal = { ...createPrincipal('1'), tenant: 'acme' };

  it.each<[string, (line: string) => unknown]>([
    ['json', (line) => parsed(line)['fields']],
    ['ecs', (line) => parsed(line)['labels']],
  ])('are texts with values in %s, and left out where one is missing', (format, of) => {
    const fields = { tenant: '{principal.tenant}', who: '{principal.email|nobody} of {route.id}', b: 'x{{' };
    const exchange = answered(200, { principal });
    expect(of(compiled({ format, fields })(exchange, 1, true) ?? '')).toEqual({ tenant: 'acme', b: 'x{' });
  });

  it('are in no line where all are missing', () => {
    const line = compiled({ fields: { tenant: '{principal.tenant}' } })(answered(200), 1, true);
    expect(parsed(line)).not.toHaveProperty('fields');
  });

  it('hide secrets by the name of the source, of the field, of the configuration, and by their looks', () => {
    const token = `eyJhbGciOiJIUzI1NiJ9.${'x'.repeat(20)}.${'y'.repeat(20)}`;
    const exchange = answered(200, { target: '/a?token=t0ps3cret&page=7&q=mine' });
    Object.assign(exchange.request.headers, { 'x-csrf-token': 't0ps3cret', 'x-note': `see ${token}` });
    redactNames(['q']);
    try {
      const fields = {
        one: '{query.token}',
        two: '{request.header.x-csrf-token}',
        password: '{query.page}',
        named: '{request.query.q}',
        note: '{header.x-note}',
        page: '{query.page}',
      };
      const line = compiled({ fields })(exchange, 1, true) ?? '';
      expect(line).not.toContain('t0ps3cret');
      expect(parsed(line)['fields']).toEqual({
        one: '[redacted]',
        two: '[redacted]',
        password: '[redacted]',
        named: '[redacted]',
        note: 'see [redacted]',
        page: '7',
      });
    } finally {
      redactNames([]);
    }
  });

  it('are bounded', () => {
    const exchange = answered(200);
    Object.assign(exchange.request.headers, { 'x-note': 'x'.repeat(10_000) });
    const { fields } = parsed(compiled({ fields: { n: '{header.x-note}' } })(exchange, 1, true));
    expect((fields as { n: string }).n).toHaveLength(201);
  });
});

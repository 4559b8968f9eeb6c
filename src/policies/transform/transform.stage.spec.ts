import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import { transformPolicy } from './transform.policy.ts';
import { TransformStageFactory } from './transform.stage.ts';

function compile(options: unknown, door: 'proxy' | 'handler' = 'proxy') {
  const transform = options === undefined ? undefined : transformPolicy.schema.parse(options);
  return new TransformStageFactory().compile({ routeId: 'r', door, policies: { transform } });
}

function requestEdits(options: unknown, door?: 'handler') {
  const exchange = createExchange();
  void compile(options, door)?.enter?.(exchange);
  return exchange.headerEdits;
}

describe('transformPolicy', () => {
  it.each([
    { request: { setHeaders: { 'x y': '1' } } },
    { request: { setHeaders: { 'x-a': 'line\r\nx-admin: 1' } } },
    { request: { setHeaders: { 'Transfer-Encoding': 'chunked' } } },
    { request: { setHeaders: { connection: 'close' } } },
    { response: { setHeaders: { 'content-length': '0' } } },
    { response: { maskFields: [] } },
    { response: { maskFields: [''] } },
    { response: { mask: ['a'] } },
  ])('refuses %j', (options) => {
    expect(transformPolicy.schema.safeParse(options).success).toBe(false);
  });
});

describe('TransformStage', () => {
  it('is absent without the policy', () => {
    expect(compile(undefined)).toBeUndefined();
  });

  it('has only the methods that the route needs', () => {
    const has = (options: unknown) => {
      const stage = compile(options);
      return [stage?.enter, stage?.head, stage?.body].map((method) => method !== undefined);
    };
    expect(has({})).toEqual([false, false, false]);
    expect(has({ request: { setHeaders: { a: '1' } } })).toEqual([true, false, false]);
    expect(has({ response: { removeHeaders: ['server'] } })).toEqual([false, true, false]);
    expect(has({ response: { maskFields: ['a'] } })).toEqual([true, false, true]);
  });

  it('leaves the edits of the request on the exchange', () => {
    expect(requestEdits({ request: { setHeaders: { 'X-A': '1' }, removeHeaders: ['Cookie'] } })).toEqual({
      set: ['x-a', '1'],
      add: [],
      renames: undefined,
      drop: new Set(['x-a', 'cookie']),
      folded: new Set(['xa', 'cookie']),
      telling: [],
    });
  });

  it('asks the upstream of a masked route for a whole body that is not compressed', () => {
    const edits = requestEdits({
      request: { setHeaders: { a: '1', 'accept-encoding': 'gzip' } },
      response: { maskFields: ['internal'] },
    });
    expect(edits?.set).toEqual(['a', '1', 'accept-encoding', 'identity']);
    expect([...(edits?.drop ?? [])]).toEqual(['a', 'accept-encoding', 'range', 'if-range']);
    expect(requestEdits({ response: { maskFields: ['internal'] } }, 'handler')).toBeUndefined();
  });

  it('edits the head of the answer in place', () => {
    const stage = compile({ response: { setHeaders: { 'x-a': '1' }, removeHeaders: ['server'] } });
    const head = { status: 200, headers: ['Server', 'x', 'date', 'today'] };
    stage?.head?.(createExchange(), head);
    expect(head).toEqual({ status: 200, headers: ['date', 'today', 'x-a', '1'] });
  });

  it('masks the body and says how much it buffers', () => {
    const stage = compile({ response: { maskFields: ['internal'], maxBody: '10KiB' } });
    expect(stage?.body?.(createExchange(), { internal: 1, a: 2 })).toEqual({ a: 2 });
    expect(stage?.maxBodyBytes).toBe(10_240);
    expect(compile({ response: { maskFields: ['a'] } })?.maxBodyBytes).toBe(2 ** 20);
  });
});

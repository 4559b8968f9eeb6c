import { describe, expect, it } from '@jest/globals';
import { compileRetry, retryFaults, retrySchema, routeRetrySchema } from './retry-policy.ts';
import { retryAfterMs } from './retry-wait.ts';
import { upstreamSchema } from './upstream.schema.ts';

const causesOf = ({ on }: ReturnType<typeof compileRetry>) => [...on].filter((cause) => cause !== 'queue');

describe('compileRetry', () => {
  it('has defaults for each protocol', () => {
    expect(compileRetry('http', retrySchema.parse({}))).toMatchObject({ attempts: 2, maxWait: 5000 });
    expect(causesOf(compileRetry('http', retrySchema.parse({})))).toEqual([
      'connect',
      'reset',
      502,
      503,
      504,
    ]);
    expect(causesOf(compileRetry('grpc', retrySchema.parse({})))).toEqual(['connect', 'UNAVAILABLE']);
  });

  it('lets a route say what it wants otherwise, key by key', () => {
    const upstream = retrySchema.parse({ attempts: 4, on: [503], maxWait: '1s' });
    const compiled = compileRetry('http', upstream, routeRetrySchema.parse({ on: ['connect', 429] }));
    expect([compiled.attempts, causesOf(compiled), compiled.maxWait]).toEqual([4, ['connect', 429], 1000]);
    const empty = compileRetry(
      'http',
      upstream,
      routeRetrySchema.parse({ on: [], attempts: 1, maxWait: '2s' }),
    );
    expect([empty.attempts, causesOf(empty), empty.maxWait]).toEqual([1, [], 2000]);
  });
});

describe('`on`', () => {
  it.each([
    404,
    408,
    409,
    421,
    425,
    429,
    500,
    502,
    503,
    504,
    599,
    'connect',
    'reset',
    'timeout',
    'UNAVAILABLE',
  ])('may name %p', (cause) => {
    expect(retrySchema.safeParse({ on: [cause] }).success).toBe(true);
  });

  it.each([
    200,
    304,
    399,
    400,
    401,
    403,
    501,
    505,
    600,
    '503',
    'OK',
    'INVALID_ARGUMENT',
    'UNIMPLEMENTED',
    'queue',
  ])('may not name %p', (cause) => {
    expect(retrySchema.safeParse({ on: [cause] }).success).toBe(false);
  });

  it('goes with the protocol', () => {
    expect(retryFaults('http', ['connect', 'UNAVAILABLE', 503])).toEqual([
      { index: 1, message: 'expected the number of a status, because the protocol is http' },
    ]);
    expect(retryFaults('grpc', ['connect', 'reset', 'timeout', 503, 'UNAVAILABLE'])).toEqual([
      { index: 1, message: 'expected UNAVAILABLE in its place, because the protocol is grpc' },
      { index: 2, message: 'expected DEADLINE_EXCEEDED in its place, because the protocol is grpc' },
      { index: 3, message: 'expected the name of a gRPC status, because the protocol is grpc' },
    ]);
    const upstream = { protocol: 'grpc', targets: ['grpc://a:1'], retry: { on: ['UNAVAILABLE', 'reset'] } };
    const [issue] = upstreamSchema.safeParse(upstream).error?.issues ?? [];
    expect(issue?.path).toEqual(['retry', 'on', 1]);
  });
});

describe('retryAfterMs', () => {
  it.each([
    [503, '7', 7000],
    [429, '0', 0],
    [503, 'Thu, 01 Jan 1970 00:00:00 GMT', 0],
    [503, undefined, undefined],
    [503, 'soon', undefined],
    [503, '-1', undefined],
    [502, '7', undefined],
  ])('of a %i with %p is %p', (status, field, ms) => {
    expect(retryAfterMs(status, field)).toBe(ms);
  });

  it('counts a date from now', () => {
    const ms = retryAfterMs(503, new Date(Date.now() + 60_000).toUTCString()) ?? 0;
    expect(ms).toBeGreaterThan(50_000);
    expect(ms).toBeLessThanOrEqual(60_000);
  });
});

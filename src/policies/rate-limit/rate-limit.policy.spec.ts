import { describe, expect, it } from '@jest/globals';
import { RateLimit, rateLimitPolicy } from './rate-limit.policy.ts';

describe('rateLimitPolicy', () => {
  it('fills in the defaults and makes a list of one rule', () => {
    expect(rateLimitPolicy.schema.parse({ rate: 10 })).toEqual([
      {
        key: 'principal',
        algorithm: 'tokenBucket',
        rate: 10,
        per: 60_000,
        burst: 10,
        cost: 1,
        mode: 'enforce',
        precision: 'exact',
        onStoreError: 'local',
      },
    ]);
  });

  it.each([
    [{ rate: 0 }, 'Too small'],
    [{ rate: 1.5 }, 'expected int'],
    [{ rate: 1, per: '0s' }, 'expected a period from 1ms to 366d'],
    [{ rate: 1, per: '400d' }, 'expected a period from 1ms to 366d'],
    [{ rate: 1, per: 60 }, 'expected a duration with a unit'],
    [{ rate: 1, cost: 2 }, 'expected a cost of at most the burst'],
    [{ rate: 1, keys: 'ip' }, 'Unrecognized key'],
  ])('refuses %j', (options, message) => {
    const { error } = rateLimitPolicy.schema.safeParse(options);
    expect(JSON.stringify(error?.issues)).toContain(message);
  });

  it('says of a rate that is too small nothing but that', () => {
    const { error } = rateLimitPolicy.schema.safeParse({ rate: 0 });
    expect(JSON.stringify(error?.issues)).not.toContain('expected a cost');
  });

  it('parses the argument of the decorator where the class is defined', () => {
    expect(() => RateLimit({ rate: 1, per: '0s' })(class {})).toThrow('expected a period');
    class Controller {}
    RateLimit({ key: 'ip', rate: 5 })(Controller);
    const kept: unknown = Reflect.getMetadata(rateLimitPolicy.metadataKey, Controller);
    expect(kept).toMatchObject([{ key: 'ip', rate: 5, burst: 5 }]);
  });
});

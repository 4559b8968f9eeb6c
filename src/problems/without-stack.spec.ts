import { describe, expect, it } from '@jest/globals';
import { withoutStack } from './without-stack.ts';

describe('without a stack', () => {
  it('errors are made, and afterwards with one again', () => {
    const bare = withoutStack(() => new TypeError('wrong'));
    expect(bare.stack).toBe('TypeError: wrong');
    expect(new TypeError('wrong').stack).toMatch(/\n\s+at /);
  });

  it('is over when what ran has thrown', () => {
    const fail = (): never => {
      throw new RangeError('thrown');
    };
    expect(() => withoutStack(fail)).toThrow('thrown');
    expect(new Error('later').stack).toMatch(/\n\s+at /);
  });
});

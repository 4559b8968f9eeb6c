import { describe, expect, it } from '@jest/globals';
import { environmentOf } from './support-bundle.ts';

describe('the environment in a support bundle', () => {
  it.each([
    ['LOG_LEVEL', 'debug', 'debug'],
    ['ADMIN_PORT', '9080', '9080'],
    ['REDIS_URL', 'redis://:secret@a', '(not shown)'],
    ['ADMIN_TOKEN', 'secret', '(not shown)'],
    ['COOKIE_SALT', 'secret', '(not shown)'],
  ])('shows %s=%s as %s', (name, value, shown) =>
    expect(environmentOf({ [name]: value })).toEqual({ [name]: shown }),
  );

  it('is sorted by name', () => {
    expect(Object.keys(environmentOf({ B: '', A: '', C: undefined }))).toEqual(['A', 'B', 'C']);
  });
});

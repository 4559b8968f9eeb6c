import { describe, expect, it } from '@jest/globals';
import { targetFits, targetPatternFault } from './target-pattern.ts';

describe('targetFits', () => {
  it.each([
    ['orders.internal', 'orders.internal', '80', true],
    ['Orders.Internal.', 'orders.internal', '80', true],
    ['orders.internal', 'evil.orders.internal', '80', false],
    ['*.orders.internal', 'a.b.orders.internal', '80', true],
    ['*.orders.internal', 'orders.internal', '80', false],
    ['*.orders.internal', 'evilorders.internal', '80', false],
    ['orders.internal:8080', 'orders.internal', '8080', true],
    ['orders.internal:8080', 'orders.internal', '80', false],
    ['10.1.0.0/16', '10.1.2.3', '80', true],
    ['10.1.0.0/16', '10.2.0.1', '80', false],
    ['10.1.2.3', '10.1.2.3', '80', true],
    ['10.1.0.0/16:8080', '10.1.2.3', '80', false],
    ['10.1.0.0/16', 'a.example', '80', false],
    ['fd00::/8', 'fd00::1', '80', true],
    ['[fd00::]/8:8080', 'fd00::1', '8080', true],
    ['[fd00::1]', 'fd00::2', '80', false],
    ['0.0.0.0/0', '::1', '80', false],
  ])('%s for %s:%s is %s', (pattern, host, port, fits) => {
    expect(targetPatternFault(pattern)).toBeUndefined();
    expect(targetFits(pattern, host, port)).toBe(fits);
  });

  it.each(['', '*', 'a b', 'http://a.example', '10.0.0.0/33', 'a.example:0', 'a.example/8', 'a.*.example'])(
    'refuses %j',
    (pattern) => expect(targetPatternFault(pattern)).toMatch(/^expected a name/),
  );
});

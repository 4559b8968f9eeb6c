import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { AskedValues } from './asked-values.ts';
import { compileConditions } from './conditions.ts';
import { matchSchema } from './match.schema.ts';

const asked = (path: string): AskedValues =>
  new AskedValues({
    path,
    query: '',
    request: { headers: {}, rawHeaders: [] } as unknown as IncomingMessage,
  });

describe('except', () => {
  const [except] = compileConditions({ headers: {}, except: ['/pay', '/a/b'] });

  it.each([
    ['/pay', false],
    ['/pay/', false],
    ['/pay/x/y', false],
    ['/a/b/c', false],
    ['/payments', true],
    ['/x/pay', true],
    ['/a', true],
    ['/a/bc', true],
    ['/Pay', true],
    ['/', true],
  ])('takes %s: %s', (path, isTaken) => {
    expect(except?.holds(asked(path))).toBe(isTaken);
  });

  it('says what it leaves to others, and is read with a path only', () => {
    expect(except?.text).toBe('not below /a/b, /pay');
    const read = (one: string): boolean => matchSchema.safeParse({ path: '/*', except: [one] }).success;
    expect(['/pay', '/a/b', '/', 'pay', '/pay/', '/{a}', '/a//b'].map(read)).toEqual([
      true, true, false, false, false, false, false,
    ]); // prettier-ignore
  });
});

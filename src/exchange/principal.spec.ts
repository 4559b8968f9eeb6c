import { describe, expect, it } from '@jest/globals';
import { createPrincipal } from '../../test/support/exchange.ts';
import { partitionOf } from './principal.ts';

describe('partitionOf', () => {
  it('is one for what is the same caller, whatever that caller may do by now', () => {
    const before = createPrincipal('2', { issuer: 'https://a.test/', roles: ['user'], scopes: ['read'] });
    const after = createPrincipal('2', { issuer: 'https://a.test/', roles: ['admin'], tenant: 'b' });
    expect(partitionOf(after)).toBe(partitionOf(before));
    expect(partitionOf(before)).toBe('user:jwt:https%3A%2F%2Fa.test%2F:2');
  });

  it('is another one for each issuer, scheme, kind and id, however they are spelled', () => {
    const callers = [
      createPrincipal('2'),
      createPrincipal('2', { issuer: 'a' }),
      createPrincipal('2', { issuer: 'a:2' }),
      createPrincipal('2:2', { issuer: 'a' }),
      createPrincipal('2', { issuer: 'a', subject: undefined }),
      createPrincipal('2', { scheme: 'apiKey' }),
      createPrincipal('2', { issuer: 'a%3A2' }),
      createPrincipal('a:2'),
      createPrincipal('2', { issuer: '\u{d800}' }),
    ];
    expect(new Set(callers.map(partitionOf)).size).toBe(callers.length);
  });
});

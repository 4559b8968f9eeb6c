import { describe, expect, it } from '@jest/globals';
import { createPrincipal } from '../../test/support/exchange.ts';
import { RoleBook, RoleCycle, type RoleDefinition } from './role-book.ts';

const role = (more: Partial<RoleDefinition> = {}): RoleDefinition => ({
  includes: [],
  permissions: [],
  deny: [],
  ...more,
});

describe('RoleBook', () => {
  const book = new RoleBook({
    user: role({ permissions: ['orders.read'] }),
    admin: role({ includes: ['user', 'guest'], permissions: ['orders.*'] }),
    owner: role({ includes: ['admin', 'user'], deny: ['orders.delete'] }),
  });

  it('finds what roles include, each once, and what nobody has defined', () => {
    expect(
      [...book.holdingsOf(createPrincipal('a', { roles: ['owner', 'other'] })).roleNames].sort(),
    ).toEqual(['admin', 'guest', 'other', 'owner', 'user']);
  });

  it('finds out once what a principal has', () => {
    const principal = createPrincipal('a', { roles: ['admin'], tenant: 'acme' });
    expect(book.holdingsOf(principal)).toBe(book.holdingsOf(principal));
    expect(book.holdingsIn(principal, 'acme')).toBe(book.holdingsIn(principal, 'acme'));
  });

  it('denies what a role denies, though another one and a scope grant it', () => {
    const held = book.holdingsOf(createPrincipal('a', { roles: ['owner'], scopes: ['orders.delete'] }));
    expect([
      held.permits('orders.write'),
      held.permits('orders.delete'),
      held.hasScope('orders.delete'),
    ]).toEqual([true, false, false]);
  });

  it('remembers a bounded number of tenants of a principal, and none that it has nothing in', () => {
    const roles = Array.from({ length: 200 }, (_, at) => `t${at}/admin`);
    const principal = createPrincipal('a', { roles });
    const first = book.holdingsIn(principal, 't0');
    for (let at = 1; at < 64; at += 1) book.holdingsIn(principal, `t${at}`);
    for (let at = 0; at < 1000; at += 1) book.holdingsIn(principal, `unknown${at}`);
    expect(book.holdingsIn(principal, 't0')).toBe(first);
    book.holdingsIn(principal, 't64');
    expect(book.holdingsIn(principal, 't0')).not.toBe(first);
  });

  it.each([
    [{ a: role({ includes: ['a'] }) }, 'includes itself: a → a'],
    [
      {
        a: role({ includes: ['b'] }),
        b: role({ includes: ['c', 'b2'] }),
        b2: role(),
        c: role({ includes: ['a'] }),
      },
      'includes itself: a → b → c → a',
    ],
  ])('refuses roles that include themselves %#', (definitions, message) => {
    expect(() => new RoleBook(definitions)).toThrow(new RoleCycle([]).constructor as typeof RoleCycle);
    expect(() => new RoleBook(definitions)).toThrow(message);
  });

  it('takes names that every object has for names like others', () => {
    const held = book.holdingsOf(createPrincipal('a', { roles: ['constructor', '__proto__'] }));
    expect([held.roles.has('constructor'), held.permits('toString')]).toEqual([true, false]);
  });
});

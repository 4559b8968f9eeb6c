import { describe, expect, it } from '@jest/globals';
import { principalOf, readClaim } from './token-principal.ts';

const names = {
  roles: ['roles'],
  permissions: ['permissions'],
  email: 'email',
  tenant: 'tenant',
  tier: 'tier',
};

describe('principalOf', () => {
  it('reads the usual claims', () => {
    const claims = {
      sub: 'alice', azp: 'mobile', roles: ['admin'], permissions: ['orders:read'], scope: 'read write',
      email: 'alice@example.com', tenant: 'acme', tier: 'pro',
    }; // prettier-ignore
    expect(principalOf(claims, names)).toEqual({
      id: 'alice',
      scheme: 'jwt',
      issuer: undefined,
      subject: 'alice',
      clientId: 'mobile',
      apiKeyId: undefined,
      roles: ['admin'],
      permissions: ['orders:read'],
      scopes: ['read', 'write'],
      email: 'alice@example.com',
      tenant: 'acme',
      tier: 'pro',
      claims,
    });
  });

  it.each([
    [['a', 'b'], { a: ['x', 'y'], b: 'y z' }, ['x', 'y', 'z']],
    [['none', 'a'], { a: ['x'] }, ['x']],
    [['https://e.com/app.roles'], { 'https://e.com/app': { roles: ['x'] } }, ['x']],
    [['a.b.c'], { 'a.b': { c: ['x'] }, a: { 'b.c': ['no'] } }, ['x']],
    [['a.b.c'], { 'a.b': 7, a: { b: { c: ['x'] } } }, ['x']],
    [['a.b.c.d'], { a: { 'b.c': { d: ['x'] } } }, ['x']],
    [['a.__proto__.b', 'constructor.name', 'a.length'], { a: [] }, []],
    [['.', '..', 'a.', '.a'], { a: ['x'] }, []],
  ])('puts the roles of %j of %j together', (roles, claims, expected) => {
    expect(principalOf({ sub: 'a', ...claims }, { ...names, roles }).roles).toEqual(expected);
  });

  it('has marks only where it can be revoked', () => {
    const claims = { sub: 'a', jti: 'j', iat: 7 };
    expect(principalOf(claims, names).marks).toBeUndefined();
    expect(principalOf(claims, names, '', true).marks).toMatchObject({
      session: undefined,
      token: expect.anything(),
    });
  });

  it('reads claims under other names, by path and by names that are URLs', () => {
    const claims = { sub: 'a', realm_access: { roles: ['x'] }, 'https://example.com/tier': 'pro', tid: 7 };
    const principal = principalOf(claims, {
      ...names,
      roles: ['realm_access.roles'],
      tier: 'https://example.com/tier',
      tenant: 'tid',
    });
    expect(principal).toMatchObject({ roles: ['x'], tier: 'pro', tenant: '7' });
  });

  it.each([
    ['admin user', ['admin', 'user']],
    ['admin, user', ['admin', 'user']],
    [['admin', 7, null, ''], ['admin']],
    [{ admin: true }, []],
    [7, []],
    [undefined, []],
  ])('reads the roles %j as %j', (roles, expected) => {
    expect(principalOf({ sub: 'a', roles }, names).roles).toEqual(expected);
  });

  it('reads scopes from scp too', () => {
    expect(principalOf({ sub: 'a', scp: ['read'] }, names).scopes).toEqual(['read']);
  });

  it('names the client when the token has no subject, and refuses a token that names nobody', () => {
    expect(principalOf({ client_id: 'batch' }, names)).toMatchObject({ id: 'batch', subject: undefined });
    expect(() => principalOf({ sub: '' }, names)).toThrow(
      expect.objectContaining({ code: 'credentials-invalid' }),
    );
    expect(() => principalOf({ sub: ['alice'] }, names)).toThrow();
  });

  it('qualifies what the issuer calls its users and applications', () => {
    const principal = principalOf({ iss: 'a', sub: '2', azp: 'web' }, names, 'acme:');
    expect(principal).toMatchObject({ id: 'acme:2', subject: 'acme:2', clientId: 'acme:web', issuer: 'a' });
    expect(principalOf({ azp: 'web' }, names, 'acme:')).toMatchObject({ id: 'acme:web', subject: undefined });
  });

  it('is frozen through and through', () => {
    const principal = principalOf({ sub: 'a', roles: ['x'], nested: { list: [1] } }, names);
    expect(Object.isFrozen(principal) && Object.isFrozen(principal.roles)).toBe(true);
    expect(Object.isFrozen(readClaim(principal.claims, 'nested.list'))).toBe(true);
  });

  it('never reads what objects inherit', () => {
    expect(readClaim({}, 'constructor')).toBeUndefined();
    expect(readClaim({ a: {} }, 'a.__proto__.toString')).toBeUndefined();
    expect(readClaim({ a: 'text' }, 'a.length')).toBeUndefined();
  });
});

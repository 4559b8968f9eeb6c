import { describe, expect, it } from '@jest/globals';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import type { Problem } from '../../problems/problem.ts';
import type { PolicySet } from '../order.ts';
import { AuthorizationStageFactory } from './authorization.stage.ts';

type Conditions = NonNullable<PolicySet['authorization']>;

const SIGNED_IN = { schemes: ['jwt' as const] };
const alice: Principal = {
  id: 'alice',
  scheme: 'jwt',
  issuer: undefined,
  subject: 'alice',
  clientId: undefined,
  apiKeyId: undefined,
  roles: ['user', 'editor'],
  permissions: ['orders:read'],
  scopes: ['orders:write'],
  email: undefined,
  tenant: undefined,
  tier: undefined,
  claims: {},
};

function compile(policies: PolicySet) {
  return new AuthorizationStageFactory().compile({ routeId: 'r', door: 'proxy', policies });
}

/** Returns the problem with which the stage ends the request, if any. */
function verdict(authorization: Conditions, principal: Principal = alice): Problem | undefined {
  try {
    compile({ authentication: SIGNED_IN, authorization })?.enter?.({ principal } as Exchange);
    return undefined;
  } catch (error) {
    return error as Problem;
  }
}

describe('AuthorizationStageFactory', () => {
  it('gives a route without the policy no stage', () => {
    expect(compile({ authentication: SIGNED_IN })).toBeUndefined();
    expect(compile({ authentication: 'public' })).toBeUndefined();
  });

  it.each<PolicySet['authentication']>(['public', undefined])(
    'refuses to authorize callers of a route with authentication %j',
    (authentication) => {
      const policies = { authorization: { anyRole: ['user'] }, ...(authentication && { authentication }) };
      expect(() => compile(policies)).toThrow(/authorization: needs to know who calls/);
    },
  );
});

describe('the authorize stage', () => {
  it.each<[Conditions]>([
    [{ anyRole: ['admin', 'editor'] }],
    [{ allRoles: ['user', 'editor'] }],
    [{ anyPermission: ['orders:delete', 'orders:read'] }],
    [{ anyPermission: ['orders:write'] }],
    [{ allPermissions: ['orders:read', 'orders:write'] }],
    [{ anyRole: ['user'], allPermissions: ['orders:read'] }],
  ])('lets pass who meets %j', (conditions) => {
    expect(verdict(conditions)).toBeUndefined();
  });

  it.each<[Conditions]>([
    [{ anyRole: ['admin'] }],
    [{ anyRole: ['User'] }],
    [{ anyRole: ['orders:read'] }],
    [{ anyRole: ['constructor'] }],
    [{ allRoles: ['user', 'admin'] }],
    [{ anyPermission: ['orders:delete'] }],
    [{ anyPermission: ['user'] }],
    [{ allPermissions: ['orders:read', 'orders:delete'] }],
    [{ anyRole: ['user'], allPermissions: ['orders:delete'] }],
    [{ anyRole: ['admin'], allPermissions: ['orders:read'] }],
  ])('stops who does not meet %j', (conditions) => {
    expect(verdict(conditions)).toMatchObject({ code: 'permission-denied', status: 403 });
  });

  it('does not tell what would be needed', () => {
    const problem = verdict({ anyRole: ['secret-role'] });
    expect(JSON.stringify([problem?.message, problem?.extensions, problem?.headers])).not.toContain(
      'secret-role',
    );
  });

  it.each<[Conditions, string | undefined]>([
    [{ allPermissions: ['orders:read', 'orders:delete'] }, ', scope="orders:read orders:delete"'],
    [{ anyPermission: ['orders:delete', 'orders:all'] }, ', scope="orders:delete"'],
    [{ anyRole: ['user'], allPermissions: ['orders:delete'] }, ', scope="orders:delete"'],
    [{ allPermissions: ['delete "all"'] }, ''],
    [{ allPermissions: ['two words'] }, ''],
    [{ anyRole: ['admin'] }, undefined],
    [{ anyRole: ['admin'], allPermissions: ['orders:delete'] }, undefined],
  ])('asks who comes with a token and does not meet %j for a scope: %s', (conditions, scope) => {
    const challenge = verdict(conditions)?.headers?.['www-authenticate'];
    const expected = `Bearer realm="gatehouse", error="insufficient_scope"${scope ?? ''}`;
    expect(challenge).toBe(scope === undefined ? undefined : expected);
    // No other credential than a token has scopes.
    expect(verdict(conditions, { ...alice, scheme: 'apiKey' })).toMatchObject({ headers: undefined });
  });

  it('stops a request that nobody identified', () => {
    const stage = compile({ authentication: SIGNED_IN, authorization: { anyRole: ['user'] } });
    expect(() => stage?.enter?.({ principal: undefined } as Exchange)).toThrow(
      expect.objectContaining({ code: 'permission-denied' }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../test/support/exchange.ts';
import { compileCondition } from './condition.ts';

const alice = createPrincipal('alice', {
  email: 'alice@example.com',
  roles: ['staff'],
  claims: { level: 3 },
});
const asked = createExchange({ principal: alice, target: '/a?b=1', headers: ['x-beta', '1'] });

describe('compileCondition', () => {
  it.each<[string, boolean]>([
    ["principal.email.endsWith('@example.com')", true],
    ["principal.email.endsWith('@example.org')", false],
    ["'staff' in principal.roles && request.method == 'GET'", true],
    ["request.headers['x-beta'] == '1'", true],
    ["'x-beta' in request.headers", true],
    ["'x-other' in request.headers", false],
    // Is not there: does not hold, and is no fault of anybody.
    ["request.headers['x-other'] == '1'", false],
    ["request.headers['x-other'] != '1'", false],
    ['principal.claims.level == 3.0', true],
    ["request.path.startsWith('/a')", true],
    ["principal.roles.exists(one, one == 'staff')", true],
  ])('%s is %p', (expression, holds) => {
    expect(compileCondition(expression)(asked)).toBe(holds);
  });

  it('takes nobody for one without a name and without roles', () => {
    expect(compileCondition("principal.id == '' && size(principal.roles) == 0")(createExchange())).toBe(true);
  });

  it.each<[string, RegExp]>([
    ['principal.emial == "a"', /emial/],
    ['user.email == "a"', /user/],
    ['principal.email', /true or false/],
    ['principal.email ==', /cannot be read/],
    ['principal.email == 3', /no such overload/],
    ['principal.roles.exists(a, principal.scopes.exists(b, a == b))', /within another/],
    [`principal.id == "${'x'.repeat(2000)}"`, /2000 characters/],
    [Array.from({ length: 150 }, () => 'true').join(' && '), /cannot be read/],
  ])('refuses %#', (expression, message) => {
    expect(() => compileCondition(expression)).toThrow(message);
  });
});

import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal, type TestRequest } from '../../test/support/exchange.ts';
import { MAX_STEPS } from './cel-cost.ts';
import { compileCondition, compileRule, type ConditionShape } from './condition.ts';
import { dearest } from './dearest.fixture.ts';

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
    ["principal.email.matches('^[a-z]+@example[.]com$')", true],
    ["request.query.b == '1'", true],
    ["request.path.contains('/a')", true],
    ["client.ip.inCidr('203.0.113.0/24')", true],
    ["client.ip.inCidr('2001:db8::/32')", false],
    ["now > timestamp('2020-01-01T00:00:00Z') && now.getDayOfWeek('America/New_York') < 7", true],
    ["route.id == ''", true],
    // Names that every object has are names like others.
    ["'constructor' in request.headers || 'toString' in principal.claims", false],
  ])('%s is %p', (expression, holds) => {
    expect(compileCondition(expression)(asked)).toBe(holds);
  });

  it('takes nobody for one without a name and without roles', () => {
    expect(compileCondition("principal.id == '' && size(principal.roles) == 0")(createExchange())).toBe(true);
  });

  it.each<[string, RegExp]>([
    ['principal.emial == "a"', /No such key: emial; did you mean `email`\?/],
    ['principal.email = "a"', /compared by `==`/],
    ['user.email == "a"', /user/],
    ['principal.email', /true or false/],
    ['principal.email ==', /cannot be read/],
    ['principal.email == 3', /no such overload/],
    ['principal.roles.exists(a, principal.scopes.exists(b, a == b))', /within another/],
    [`principal.id == "${'x'.repeat(2000)}"`, /2000 characters/],
    [Array.from({ length: 150 }, () => 'true').join(' && '), /cannot be read/],
    ['('.repeat(30) + 'true' + ')'.repeat(30), /maxDepth/],
    [
      "principal.id == '' ||\n  principal.nmae == ''",
      /No such key: nmae \(at line 2, column 13 of the expression\)/,
    ],
    ["params.x == ''", /there is no `params.x`/],
    ['principal.email.matches(principal.id)', /expected a text in quotes for `matches` \(at character 25/],
    ["principal.email.matches('(a+')", /RE2/],
    ["principal.email.matches('(?=a)')", /RE2/],
    ["client.ip.inCidr('10.0.0.0/64')", /CIDR/],
    ["now.getHours('Europe/Belrin') == 3", /there is no time zone "Europe\/Belrin"/],
    ["principal.id.startWith('a')", /there is no function `startWith`; did you mean `startsWith`/],
    ["b'{}'.json() == {}", /there is no function `json`/],
    ['cel.bind(x, principal.roles, x.exists(y, y == ""))', /there is no function `bind`/],
    ["request.headers['X-Beta'] == '1'", /in lower case: `x-beta`/],
    ["request.headers['x-user-roles'] == 'admin'", /only what a client says of itself/],
    ["request.headers['x_forwarded_for'] == '10.0.0.1'", /only what a client says of itself/],
    ['body.a == 1', /Unknown variable: body/],
    ['args.a == 1', /Unknown variable: args/],
    ['principal.claims.l.map(a, principal.email).join() == principal.id', /could take/],
    [`(${Array.from({ length: 60 }, () => 'principal.email').join(' + ')}).size() > 3`, /could take/],
    ['principal.roles.map(a, a + principal.email).exists(b, b == principal.id)', /could take/],
    ['principal.roles.exists(a, a in principal.scopes)', /could take \d+ steps, expected at most 40000/],
    ["request.headers.exists(a, a.contains('b'))", /could take/],
    ['principal.roles.exists(a, a.size() > 3)', /could take/],
    ["principal.claims.l.exists(a, a.b == 'c' && a.d == 'e' && a.f == 'g' && a.h == 'i')", /could take/],
    ["principal.roles.exists(a, a.matches('b'))", /could take/],
    ["request['headers'].exists(a, a.contains('b'))", /could take/],
    ['(principal.roles + principal.roles).all(a, a + a + a + a + a != principal.id)', /could take/],
  ])('refuses %#', (expression, message) => {
    expect(() => compileRule(expression, { params: [] })).toThrow(message);
  });
});

describe('a rule', () => {
  const rule = (expression: string, shape: ConditionShape = {}) => compileRule(expression, shape);

  it.each<[why: string, expression: string, request: TestRequest]>([
    ['a header field that is not there', "request.headers['x-other'] != '1'", {}],
    ['a claim that is not there', 'principal.claims.nothing == 1', { principal: alice }],
    ['a parameter of the query that stands there twice', "request.query.a == '1'", { target: '/?a=1&a=2' }],
    ['a parameter of the query in two spellings', "request.query.a == '1'", { target: '/?a=1&a[]=2' }],
    [
      'a field that Node shows the first of several of',
      "request.headers['content-type'] == 'a'",
      { headers: ['content-type', 'a', 'Content-Type', 'b'] },
    ],
    [
      'more parameters of the query than it looks at',
      "request.query.a == '1'",
      { target: `/?a=1${'&b'.repeat(256)}` },
    ],
    [
      'more roles than it looks at',
      "'a' in principal.roles",
      { principal: createPrincipal('b', { roles: many(257) }) },
    ],
    [
      'a list of claims that is too long to go through',
      "principal.claims.list.exists(a, a == 'n0')",
      { principal: createPrincipal('b', { claims: { list: many(65) } }) },
    ],
    [
      'more claims than it looks at',
      'principal.claims.level == 3',
      { principal: createPrincipal('b', { claims: { level: 3, list: many(2000) } }) },
    ],
    [
      'claims that are too deep',
      'principal.claims.level == 3',
      { principal: createPrincipal('b', { claims: { level: 3, deep: deep(20) } }) },
    ],
    [
      'a text that is too long for a pattern',
      "principal.email.matches('a')",
      { principal: createPrincipal('b', { email: 'a'.repeat(257) }) },
    ],
    ['what is no condition in the end', 'principal.claims.level', { principal: alice }],
  ])('can say neither yes nor no about %s', (_why, expression, request) => {
    const compiled = expression === 'principal.claims.level' ? 'principal.claims.level || false' : expression;
    expect(() => rule(compiled).holds(createExchange(request))).toThrow();
  });

  it('looks at as much as it says', () => {
    const principal = createPrincipal('b', {
      roles: many(256),
      claims: { list: many(64) },
      email: 'a'.repeat(256),
    });
    const exchange = createExchange({ principal });
    const expression =
      "'n255' in principal.roles && principal.claims.list.exists(a, a == 'n63') && principal.email.matches('a')";
    expect(rule(expression).holds(exchange)).toBe(true);
  });

  it('looks at a body, at arguments and a parent where there are some', () => {
    const shape = { body: true, args: ['id'], parent: 'any' } as const;
    const compiled = rule("body.a[1].b == 'x' && args.id == '7' && parent.owner == 'alice'", shape);
    const parent = new (class Order {
      owner = 'alice';
    })();
    const extras = { body: { a: [1, { b: 'x' }] }, args: { id: '7' }, parent };
    expect(compiled.holds(asked, extras)).toBe(true);
    expect(compiled.holds(asked, { ...extras, args: { id: '8' } })).toBe(false);
    expect(() => rule("args.idd == '7'", shape)).toThrow('there is no `args.idd`; did you mean `args.id`?');
  });

  it('reads what it looks at once, however often it does', () => {
    let reads = 0;
    const principal = createPrincipal('b', { claims: { l: many(64) } });
    const body = {
      get x(): string {
        reads += 1;
        return 'n';
      },
    };
    const exchange = createExchange({ principal, target: '/?a=1' });
    const found = rule('principal.claims.l.exists(a, body.x == "q")', { body: true }).holds(exchange, {
      body,
    });
    expect([found, reads]).toEqual([false, 1]);
  });

  it('finds once that there is too much', () => {
    let reads = 0;
    const body = {
      get x(): string[] {
        reads += 1;
        return many(2001);
      },
    };
    const exchange = createExchange({ principal: createPrincipal('b', { roles: many(256) }) });
    expect(() =>
      rule('principal.scopes == [] && principal.claims == body.x', { body: true }).holds(exchange, { body }),
    ).toThrow();
    expect(reads).toBe(1);
  });

  it('leaves the limit of stack traces as it was', () => {
    const limit = Error.stackTraceLimit;
    expect(() => rule('principal.claims.no == 1').holds(asked)).toThrow();
    expect(Error.stackTraceLimit).toBe(limit);
  });

  // Counted, not timed: what a step takes is a row of the bench.
  it.each(dearest)('needs no more steps than any may: %s', (expression) => {
    expect(rule(expression).steps).toBeLessThanOrEqual(MAX_STEPS);
  });

  it('needs few for what is usual', () => {
    expect(
      rule("principal.tenant == request.headers['x-tenant'] && 'a' in principal.roles").steps,
    ).toBeLessThan(1000);
  });
});

function many(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `n${at}`);
}

function deep(levels: number): unknown {
  return levels === 0 ? 1 : { more: deep(levels - 1) };
}

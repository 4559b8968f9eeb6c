/** Who calls, as the claims of a token; undefined for nobody. */
export type Caller = Readonly<Record<string, unknown>> | undefined;

/** A request to the route of a case, and whether it is let in. */
export interface Ask {
  readonly as: Caller;
  /** Values of the path parameters, in their order. Default none. */
  readonly at?: readonly string[];
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where it comes from, as a trusted proxy says it. Default the loopback address. */
  readonly from?: string;
  readonly method?: string;
  readonly allowed: boolean;
}

/** One way to control access, as a configuration says it, and what is decided by it. */
export interface AccessCase {
  readonly name: string;
  /** Path parameters. Default none. */
  readonly params?: readonly string[];
  readonly authorization: object;
  /** Whether the route is public. Default false. */
  readonly isPublic?: boolean;
  readonly asks: readonly Ask[];
}

/** What roles mean in all cases. */
export const ROLES = {
  viewer: { permissions: ['orders.read', 'users.read'] },
  editor: { includes: ['viewer'], permissions: ['orders.write'] },
  admin: { includes: ['editor'], permissions: ['*'] },
  auditor: { permissions: ['*.read', 'reports.*'] },
  trainee: { includes: ['editor'], deny: ['orders.write'] },
  colon: { permissions: ['shop:orders:*'] },
} as const;

const roles = (...names: string[]) => ({ roles: names });
const may = (as: Caller, more: Partial<Ask> = {}): Ask => ({ ...more, as, allowed: true });
const not = (as: Caller, more: Partial<Ask> = {}): Ask => ({ ...more, as, allowed: false });
const NOBODY_IN_PARTICULAR = { roles: [] };

/** Roles, and what they include. */
const hierarchy: readonly AccessCase[] = [
  {
    name: 'a role of its own',
    authorization: { anyRole: ['editor'] },
    asks: [
      may(roles('editor')),
      not(roles('viewer')),
      not(roles('Editor')),
      not(roles('editor2')),
      not(NOBODY_IN_PARTICULAR),
    ],
  },
  {
    name: 'a role by another one that includes it',
    authorization: { anyRole: ['viewer'] },
    asks: [
      may(roles('viewer')),
      may(roles('editor')),
      may(roles('admin')),
      may(roles('trainee')),
      not(roles('auditor')),
    ],
  },
  {
    name: 'all of several roles',
    authorization: { allRoles: ['viewer', 'auditor'] },
    asks: [may(roles('admin', 'auditor')), not(roles('admin')), not(roles('auditor'))],
  },
  {
    name: 'a role of any of several claims, one of them with dots in its name',
    authorization: { allRoles: ['viewer', 'auditor', 'guest'] },
    asks: [
      may({
        roles: ['viewer'],
        realm_access: { roles: ['auditor'] },
        'https://example.com/app.roles': 'guest',
      }),
      may({ realm_access: { roles: ['editor', 'auditor', 'guest'] } }),
      not({ roles: ['viewer'], realm_access: { roles: ['auditor'] } }),
      not({
        roles: ['viewer', 'auditor'],
        'https://example.com/app.roles.more': 'guest',
        realm_access: 'guest',
      }),
    ],
  },
  {
    name: 'a role that nothing defines',
    authorization: { anyRole: ['guest'] },
    asks: [may(roles('guest')), not(roles('admin')), not(roles('constructor'))],
  },
];

/** Permissions of tokens and of roles, with wildcards; scopes. */
const permissions: readonly AccessCase[] = [
  {
    name: 'a permission of a role',
    authorization: { allPermissions: ['orders.read'] },
    asks: [may(roles('viewer')), may(roles('editor')), may(roles('auditor')), not(NOBODY_IN_PARTICULAR)],
  },
  {
    name: 'a permission of the token',
    authorization: { allPermissions: ['billing.read', 'billing.write'] },
    asks: [
      may({ roles: [], permissions: ['billing.read', 'billing.write'] }),
      may({ roles: [], permissions: ['billing.*'] }),
      not({ roles: [], permissions: ['billing'] }),
      not({ roles: [], permissions: ['billing.read'] }),
    ],
  },
  {
    name: 'a wildcard stands for whole segments only',
    authorization: { anyPermission: ['reports.2026.read'] },
    asks: [
      may(roles('auditor')),
      may({ roles: [], permissions: ['reports.*.read'] }),
      may({ roles: [], permissions: ['*'] }),
      not({ roles: [], permissions: ['rep*'] }),
      not({ roles: [], permissions: ['*.read'] }),
      not({ roles: [], permissions: ['reports'] }),
      not({ roles: [], permissions: ['reports.2026.read.more'] }),
    ],
  },
  {
    name: 'permissions between colons',
    authorization: { allPermissions: ['shop:orders:ship'] },
    asks: [may(roles('colon')), not({ roles: [], permissions: ['shop.orders.*'] }), not(roles('viewer'))],
  },
  {
    name: 'what is denied to a role is denied, whatever else grants it',
    authorization: { allPermissions: ['orders.write'] },
    asks: [
      may(roles('editor')),
      not(roles('trainee')),
      not(roles('trainee', 'admin')),
      not({ roles: ['trainee'], scope: 'orders.write' }),
    ],
  },
  {
    name: 'a scope counts as a permission, word by word',
    authorization: { anyPermission: ['orders.ship'] },
    asks: [
      may({ roles: [], scope: 'orders.ship' }),
      not({ roles: [], scope: 'orders.*' }),
      may(roles('admin')),
    ],
  },
  {
    name: 'a scope, which no role grants',
    authorization: { allScopes: ['orders.ship'] },
    asks: [
      may({ roles: [], scope: 'a orders.ship' }),
      not(roles('admin')),
      not({ roles: [], permissions: ['orders.ship'] }),
    ],
  },
  {
    name: 'any of several scopes',
    authorization: { anyScope: ['a', 'b'] },
    asks: [may({ roles: [], scope: 'b c' }), not({ roles: [], scope: 'c' })],
  },
];

/** What is refused whatever else holds. */
const denials: readonly AccessCase[] = [
  {
    name: 'deny by role goes before what allows',
    authorization: { anyRole: ['viewer'], deny: { anyRole: ['suspended'] } },
    asks: [may(roles('viewer')), not(roles('viewer', 'suspended')), not(roles('suspended', 'admin'))],
  },
  {
    name: 'deny by itself lets the others in',
    authorization: { deny: { anyRole: ['suspended'] } },
    asks: [may(NOBODY_IN_PARTICULAR), not(roles('suspended'))],
  },
  {
    name: 'deny by permission and scope',
    authorization: { deny: { anyPermission: ['quarantined'], anyScope: ['limited'] } },
    asks: [
      may(NOBODY_IN_PARTICULAR),
      not({ roles: [], permissions: ['quarantined'] }),
      not({ roles: [], scope: 'limited' }),
    ],
  },
  {
    name: 'deny by a condition, which denies too where it cannot be told',
    authorization: { deny: { when: "principal.claims.risk == 'high'" } },
    asks: [may({ roles: [], risk: 'low' }), not({ roles: [], risk: 'high' }), not(NOBODY_IN_PARTICULAR)],
  },
];

/** Tenants. */
const tenants: readonly AccessCase[] = [
  {
    name: 'a role within the tenant of the path',
    params: ['tenant'],
    authorization: { tenant: { param: 'tenant' }, anyRole: ['viewer'] },
    asks: [
      may({ roles: ['acme/editor'] }, { at: ['acme'] }),
      not({ roles: ['acme/editor'] }, { at: ['other'] }),
      may({ roles: ['viewer'], tid: 'acme' }, { at: ['acme'] }),
      not({ roles: ['viewer'], tid: 'acme' }, { at: ['other'] }),
      not({ roles: ['viewer'] }, { at: ['acme'] }),
      not({ roles: ['acme/editor'] }, { at: ['acme%2Feditor'] }),
    ],
  },
  {
    name: 'a role of a tenant is none beyond it',
    authorization: { anyRole: ['editor'] },
    asks: [not({ roles: ['acme/editor'] }), may({ roles: ['editor'] })],
  },
  {
    name: 'permissions of a role within a tenant, and of the token in its own',
    params: ['tenant'],
    authorization: { tenant: { param: 'tenant' }, allPermissions: ['orders.write'] },
    asks: [
      may({ roles: ['acme/editor'] }, { at: ['acme'] }),
      not({ roles: ['acme/viewer'] }, { at: ['acme'] }),
      not({ roles: ['acme/editor', 'acme/trainee'] }, { at: ['acme'] }),
      may({ roles: [], permissions: ['orders.write'], tid: 'acme' }, { at: ['acme'] }),
      not({ roles: [], permissions: ['orders.write'], tid: 'acme' }, { at: ['other'] }),
    ],
  },
  {
    name: 'the tenant of a header field',
    authorization: { tenant: { header: 'X-Tenant' }, anyRole: ['viewer'] },
    asks: [
      may({ roles: ['acme/viewer'] }, { headers: { 'x-tenant': 'acme' } }),
      not({ roles: ['acme/viewer'] }, { headers: { 'x-tenant': 'other' } }),
      not({ roles: ['acme/viewer', 'viewer'] }),
    ],
  },
  {
    name: 'the tenant of the principal by a condition',
    params: ['tenant'],
    authorization: { when: 'principal.tenant != "" && params.tenant == principal.tenant' },
    asks: [
      may({ roles: [], tid: 'acme' }, { at: ['acme'] }),
      not({ roles: [], tid: 'acme' }, { at: ['other'] }),
      not({ roles: [] }, { at: ['acme'] }),
    ],
  },
];

/** Attributes of principal and request, owners. */
const attributes: readonly AccessCase[] = [
  {
    name: 'the owner only',
    params: ['owner'],
    authorization: { when: 'params.owner == principal.id' },
    asks: [
      may({ sub: 'u-7', roles: [] }, { at: ['u-7'] }),
      may({ sub: 'ü 7', roles: [] }, { at: ['%C3%BC%207'] }),
      not({ sub: 'u-7', roles: [] }, { at: ['u-8'] }),
      not({ sub: 'u-7', roles: [] }, { at: ['U-7'] }),
    ],
  },
  {
    name: 'the owner, or an administrator by inheritance',
    params: ['owner'],
    authorization: { when: "params.owner == principal.id || 'editor' in principal.roles" },
    asks: [
      may({ sub: 'u-7', roles: [] }, { at: ['u-7'] }),
      may({ sub: 'u-1', roles: ['admin'] }, { at: ['u-7'] }),
      not({ sub: 'u-1', roles: ['viewer'] }, { at: ['u-7'] }),
    ],
  },
  {
    name: 'one of two path parameters',
    params: ['team', 'id'],
    authorization: { when: "params.team in ['red', 'blue'] && params.id.matches('^[0-9]+$')" },
    asks: [
      may({ roles: [] }, { at: ['red', '42'] }),
      not({ roles: [] }, { at: ['green', '42'] }),
      not({ roles: [] }, { at: ['red', '42x'] }),
    ],
  },
  {
    name: 'a claim that has to be large enough',
    authorization: { when: 'principal.claims.level >= 3' },
    asks: [
      may({ roles: [], level: 3 }),
      not({ roles: [], level: 2 }),
      not({ roles: [] }),
      not({ roles: [], level: '9' }),
    ],
  },
  {
    name: 'a nested claim in a list of objects',
    authorization: { when: "principal.claims.groups.exists(g, g.name == 'ops' && g.write)" },
    asks: [
      may({
        roles: [],
        groups: [
          { name: 'dev', write: true },
          { name: 'ops', write: true },
        ],
      }),
      not({ roles: [], groups: [{ name: 'ops', write: false }] }),
      not({ roles: [], groups: 'ops' }),
      not({ roles: [], groups: Array.from({ length: 65 }, () => ({ name: 'ops', write: true })) }),
    ],
  },
  {
    name: 'a claim that need not be there',
    authorization: { when: '!has(principal.claims.locked) || principal.claims.locked == false' },
    asks: [may({ roles: [] }), may({ roles: [], locked: false }), not({ roles: [], locked: true })],
  },
  {
    name: 'a domain of email addresses',
    authorization: { when: "principal.email.endsWith('@example.com')" },
    asks: [
      may({ roles: [], email: 'a@example.com' }),
      not({ roles: [], email: 'a@example.com.evil.org' }),
      not({ roles: [], email: 'example.com' }),
    ],
  },
  {
    name: 'a header field, and a missing one',
    authorization: { when: "request.headers['x-purpose'] == 'care'" },
    asks: [
      may({ roles: [] }, { headers: { 'x-purpose': 'care' } }),
      not({ roles: [] }, { headers: { 'x-purpose': 'study' } }),
      not({ roles: [] }),
    ],
  },
  {
    name: 'a parameter of the query, once',
    authorization: { when: "request.query.scope == 'mine'" },
    asks: [
      may({ roles: [] }, { query: 'scope=mine' }),
      not({ roles: [] }, { query: 'scope=all' }),
      not({ roles: [] }, { query: 'scope=mine&scope=all' }),
      not({ roles: [] }),
    ],
  },
  {
    name: 'reading for all, writing for editors',
    authorization: { when: "request.method in ['GET', 'HEAD'] || 'editor' in principal.roles" },
    asks: [may(roles('viewer')), may(roles('admin'))],
  },
  {
    name: 'the route, and the time',
    authorization: {
      when: "route.id != '' && now > timestamp('2020-01-01T00:00:00Z') && now.getHours('Europe/Berlin') >= 0",
    },
    asks: [may({ roles: [] })],
  },
  {
    name: 'a time that is over, or is to come',
    authorization: {
      when: "now < timestamp('2020-01-01T00:00:00Z') || ('early' in principal.roles && now < timestamp('2999-01-01T00:00:00Z'))",
    },
    asks: [may(roles('early')), not(roles('late'))],
  },
  {
    name: 'roles and a condition, both',
    authorization: { anyRole: ['editor'], when: "principal.tier == 'gold'" },
    asks: [
      may({ roles: ['editor'], tier: 'gold' }),
      not({ roles: ['editor'], tier: 'free' }),
      not({ roles: ['viewer'], tier: 'gold' }),
    ],
  },
];

/** Addresses. */
const addresses: readonly AccessCase[] = [
  {
    name: 'a block of addresses',
    authorization: { when: "client.ip.inCidr('10.0.0.0/8') || client.ip.inCidr('2001:db8::/32')" },
    asks: [
      may({ roles: [] }, { from: '10.9.8.7' }),
      may({ roles: [] }, { from: '2001:db8::7' }),
      not({ roles: [] }, { from: '11.0.0.1' }),
      not({ roles: [] }, { from: '2001:db9::7' }),
      not({ roles: [] }),
    ],
  },
  {
    name: 'an address on a public route',
    isPublic: true,
    authorization: { when: "client.ip.inCidr('192.0.2.0/24')" },
    asks: [may(undefined, { from: '192.0.2.9' }), not(undefined, { from: '192.0.3.9' })],
  },
  {
    name: 'administrators only from within',
    authorization: { deny: { when: "'admin' in principal.roles && !client.ip.inCidr('10.0.0.0/8')" } },
    asks: [
      may(roles('admin'), { from: '10.1.1.1' }),
      not(roles('admin'), { from: '192.0.2.1' }),
      may(roles('viewer'), { from: '192.0.2.1' }),
    ],
  },
];

/** What bodies say: a condition of `bodyAuthorization`, who sends what, and whether it is let in. */
export const bodyAsks: readonly (readonly [when: string, as: Caller, body: string, allowed: boolean])[] = [
  ["body.amount <= 100.0 || 'editor' in principal.roles", { roles: [] }, '{"amount":100}', true],
  ["body.amount <= 100.0 || 'editor' in principal.roles", { roles: [] }, '{"amount":100.01}', false],
  ["body.amount <= 100.0 || 'editor' in principal.roles", { roles: ['admin'] }, '{"amount":1e6}', true],
  ["body.amount <= 100.0 || 'editor' in principal.roles", { roles: [] }, '{"amount":"1"}', false],
  ["body.amount <= 100.0 || 'editor' in principal.roles", { roles: [] }, '{}', false],
  ['body.order.owner == principal.id', { sub: 'u-7' }, '{"order":{"owner":"u-7"}}', true],
  ['body.order.owner == principal.id', { sub: 'u-7' }, '{"order":{"owner":"u-8"}}', false],
  ['body.items.all(i, i.tenant == principal.tenant)', { tid: 'a' }, '{"items":[{"tenant":"a"}]}', true],
  [
    'body.items.all(i, i.tenant == principal.tenant)',
    { tid: 'a' },
    '{"items":[{"tenant":"a"},{"tenant":"b"}]}',
    false,
  ],
];

/** Fields of GraphQL whose conditions look at arguments and parents: who asks what, and the places that are refused. */
export const fieldAsks: readonly (readonly [as: Caller, query: string, refused: readonly string[]])[] = [
  [{ sub: 'u-7' }, '{ account(owner: "u-7") { owner } }', []],
  [{ sub: 'u-7' }, '{ account(owner: "u-8") { owner } }', ['account']],
  [{ sub: 'u-7' }, '{ a: account(owner: "u-7") { owner } b: account(owner: "u-8") { owner } }', ['b']],
  [{ sub: 'u-1', roles: ['admin'] }, '{ account(owner: "u-8") { owner } }', []],
  [{ sub: 'u-7' }, '{ accounts { owner balance } }', ['accounts.1.balance']],
  [{ sub: 'u-9' }, '{ accounts { balance } }', ['accounts.0.balance', 'accounts.1.balance']],
];

/** All of them. */
export const accessCases: readonly AccessCase[] = [
  ...hierarchy,
  ...permissions,
  ...denials,
  ...tenants,
  ...attributes,
  ...addresses,
];

/** `access:`, for routes that say nothing themselves. */
export const ACCESS = [
  { path: '/acc/payments/*', anyRole: ['finance'] },
  { path: '/acc/payments/*', methods: ['GET'], anyRole: ['finance', 'viewer'] },
  { path: '/acc/payments/{id}/refund', anyRole: ['chief'] },
  { path: '/acc/heads/*', methods: ['GET'], anyRole: ['viewer'] },
  { path: '/acc/open/*', when: "client.ip != ''" },
  { path: '/acc/tenants/{tenant}/*', anyRole: ['viewer'], deny: { anyRole: ['suspended'] } },
  { path: '/acc/owned/{name}/*', when: 'params.name in principal.roles' },
] as const;

/** Requests to routes that say nothing: method, path below `/acc`, who, and whether they are let in. */
export const accessAsks: readonly (readonly [
  method: string,
  path: string,
  as: readonly string[],
  allowed: boolean,
])[] = [
  ['GET', '/payments/7', ['viewer'], true],
  ['HEAD', '/payments/7', ['nobody'], false],
  ['HEAD', '/payments/7', ['viewer'], true],
  ['POST', '/payments/7', ['viewer'], false],
  ['POST', '/payments/7', ['finance'], true],
  // Its route takes nothing but HEAD, while what is said is said of GET.
  ['HEAD', '/heads/7', ['nobody'], false],
  ['HEAD', '/heads/7', ['viewer'], true],
  ['GET', '/payments', ['nobody'], false],
  ['GET', '/payments/7/refund', ['finance'], false],
  ['GET', '/payments/7/refund', ['chief'], true],
  ['GET', '/payments/7/refund/more', ['viewer'], true],
  // Other spellings of what is guarded.
  ['GET', '/Payments/7', ['nobody'], false],
  ['GET', '/PAYMENTS/7/REFUND', ['finance'], false],
  ['GET', '/payments/7/refund;x', ['finance'], false],
  ['GET', '/payments;x/7', ['nobody'], false],
  ['GET', '/pay%6dents/7', ['nobody'], false],
  ['GET', '/open/7', ['nobody'], true],
  ['GET', '/tenants/acme/7', ['editor'], true],
  ['GET', '/tenants/acme/7', ['editor', 'suspended'], false],
  // The names of the entry, whatever the route calls them.
  ['GET', '/owned/o%20ne/7', ['o ne'], true],
  ['GET', '/owned/one/7', ['two'], false],
  ['GET', '/elsewhere', ['nobody'], true],
  // Says something itself, so that no entry is about it.
  ['GET', '/payments/own', ['own'], true],
  ['GET', '/payments/own', ['finance'], false],
];

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificate } from '../../support/certificates.ts';
import { runCommand } from '../../support/command.ts';
import { modules } from '../../../src/routes/index.ts';
import { blocksOf } from '../blocks.ts';
import type { Around, PageScenes, Scene } from './scene.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SECRET = { SIGNING: 'a-shared-secret-that-is-long-enough-for-it' };

/** A block that needs files only. */
const files = (written: Readonly<Record<string, string | (() => string)>>, around: Around = {}): Scene => ({
  set: () => {
    for (const [name, text] of Object.entries(written))
      writeFileSync(name, typeof text === 'string' ? text : text());
    return around;
  },
});

/** The whole file of the README. */
function catalog(): string {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  return /^```yaml\n(# catalog\.yaml\n.*?)^```$/ms.exec(text)?.[1] ?? '';
}

const CALLERS = `version: 1
identity: { issuers: [{ issuer: 'https://id.test/', secretEnv: SIGNING, audiences: [api] }] }
defaults: { policies: { authentication: { schemes: [jwt] } } }
upstreams: { it: { targets: ['http://127.0.0.1:1'] } }
access:
  - { path: /api/v1/payments/*, anyRole: [finance] }
  - { path: '/api/v1/tenants/{id}/*', when: params.id == principal.tenant }
routes:
  - { id: orders, match: { methods: [GET], path: /api/v1/orders }, upstream: it }
  - { id: payments, match: { methods: [POST], path: /api/v1/payments/* }, upstream: it }
  - { id: tenants, match: { path: '/api/v1/tenants/{id}/*' }, upstream: it }
`;

const EXPLAINED = `version: 1
identity: { issuers: [{ issuer: 'https://id.test/', secretEnv: SIGNING, audiences: [api] }] }
defaults: { policies: { authentication: { schemes: [jwt] }, deadline: 2s } }
upstreams:
  users: { targets: ['http://127.0.0.1:4101', 'http://127.0.0.1:4102'] }
routes:
  - id: users
    match: { methods: [GET, POST], path: /api/v2/users/* }
    upstream: users
    rewrite: { stripPrefix: /api/v2 }
    policies:
      authorization: { anyRole: [admin] }
      rateLimit: { key: principal, rate: 5, per: 1s }
      transform: { request: { setHeaders: { x-tier: '{principal.tier|free}' }, body: [{ default: { tier: free } }] } }
  # All else of that version.
  - id: all
    match: { path: /api/v2/* }
    upstream: users
  - { id: other, match: { path: /other }, upstream: users }
`;

const OLD = `version: 1
upstreams: { it: { targets: ['http://127.0.0.1:1'] } }
defaults: { policies: { authentication: { schemes: [apiKey] } } }
identity: { apiKeys: [{ sha256: '${'0'.repeat(64)}', clientId: a }] }
routes:
  - { id: one, match: { methods: [GET], path: /api/one/* }, upstream: it }
  - { id: two, match: { path: /two }, upstream: it }
  - { id: three, match: { path: /three }, upstream: it }
  - { id: all, match: { path: '/files/{name}' }, upstream: it }
`;
const NEW = OLD.replace('upstreams', 'trustedProxies: [loopback]\nupstreams')
  .replace('/api/one/* }, upstream: it', '/api/one/* }, upstream: it, policies: { authentication: public }')
  .replace(/ {2}- \{ id: two.*\n/, '')
  .replace(
    '/three }, upstream: it',
    '/three }, upstream: it, policies: { rateLimit: { key: ip, rate: 5, per: 1s } }',
  )
  .concat(
    "  - { id: special, match: { methods: [GET], path: '/files/{name}' }, upstream: it, priority: 1 }\n",
  );

const SERVED = `version: 1
identity: { issuers: [{ issuer: 'https://id.test/', secretEnv: SIGNING, audiences: [api] }] }
defaults: { policies: { authentication: { schemes: [jwt] } } }
upstreams: { it: { targets: ['http://127.0.0.1:1'] } }
routes:
  - { id: users, match: { path: /users/* }, upstream: it }
  - { id: orders, match: { path: /orders }, upstream: it }
  - { id: refunds, match: { path: /refunds }, upstream: it }
`;
const STRICTER = SERVED.replace(
  '/users/* }, upstream: it',
  '/users/* }, upstream: it, policies: { authorization: { anyRole: [admin] } }',
).replace(
  '/orders }, upstream: it',
  "/orders }, upstream: it, policies: { transform: { request: { setHeaders: { x-tier: '{principal.tier|free}' } } } }",
);

/** A sample of what was served: admins, and a few who are not. */
function sample(): string {
  const line = (url: string, roles: readonly string[], route: string): object => ({
    at: '2026-11-27T10:00:00.000Z',
    method: 'GET',
    url: `https://api.example.com${url}`,
    headers: [],
    dropped: [],
    from: '203.0.113.9',
    as: {
      id: 'ann',
      scheme: 'jwt',
      issuer: 'https://id.test/',
      roles,
      permissions: [],
      scopes: [],
      claims: {},
    },
    route,
    status: 200,
    ms: 3,
  });
  const many = (count: number, one: object): object[] => Array.from({ length: count }, () => one);
  const lines = [
    { format: 'gatehouse-sample', version: 1, config: '0', started: '2026-11-27T10:00:00.000Z' },
    ...many(10, line('/users/1', ['admin'], 'users')),
    ...many(31, line('/users/7', [], 'users')),
    ...many(6, line('/orders', [], 'orders')),
    { end: 'time', recorded: 47, skipped: 0, lost: 0 },
  ];
  return lines.map((one) => `${JSON.stringify(one)}\n`).join('');
}

const KNOWN = `identity: { issuers: [{ issuer: 'https://id.test/', secretEnv: SIGNING, audiences: [api] }], apiKeys: [{ sha256: '${'0'.repeat(64)}', clientId: a }] }
`;
const NOTIFYING = `{ protocol: grpc, descriptorSet: config/descriptors/shop.binpb, targets: ['grpc://127.0.0.1:1'] }`;
/** Files that name modules of the sample in the wrong way. */
const WRONG_MODULES = {
  'gateway.yaml': `version: 1
modules: [order, orders, notifications]
${KNOWN}upstreams:
  users: { targets: ['http://127.0.0.1:1'] }
  notifications: ${NOTIFYING}
  orders: { protocol: http, targets: ['http://127.0.0.1:1'] }
`,
  'bare.yaml': 'version: 1\ngraphql: { denied: operation }\n',
};

/** The whole file of the page, and the certificates that it names. */
function secured(): Around {
  const { cert, key } = certificate({ name: 'api', hosts: ['api.example.com'], isAuthority: true });
  mkdirSync('tls');
  for (const name of ['api', 'clients']) writeFileSync(`tls/${name}.pem`, cert);
  writeFileSync('tls/api.key', key);
  const [file] = blocksOf('securing', readFileSync(join(ROOT, 'docs/securing.md'), 'utf8'));
  writeFileSync('gateway.yaml', file?.text ?? '');
  return {};
}

const PAYMENTS = `version: 1
principals: { ann: { claims: { sub: ann, roles: [user] } } }
tests:
  - { name: users may read users, request: GET /api/v2/users/7, as: ann, expect: { status: 200 } }
  - { name: payments are for administrators, request: GET /api/v2/payments/1, as: ann, expect: { status: 200 } }
`;

/** A file of a team whose list is also a route of the gateway's. */
const CLAIMED = `version: 1
defaults: { policies: { authentication: { schemes: [jwt] } } }
identity: { issuers: [{ issuer: 'https://id.test/', secretEnv: SIGNING, audiences: [api] }] }
upstreams:
  search: { targets: ['http://127.0.0.1:1'] }
include:
  - { files: teams/*.yaml, rights: { upstreams: [search], paths: [/orders], targets: any } }
routes:
  - { id: all-orders, match: { methods: [GET], path: /orders }, upstream: search }
`;

/** The team's file of the page. */
function claiming(): Around {
  const page = readFileSync(join(ROOT, 'docs/teams.md'), 'utf8');
  mkdirSync('teams');
  writeFileSync('teams/orders.yaml', /^```yaml file=teams\/orders\.yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? '');
  writeFileSync('gateway.yaml', CLAIMED);
  return { env: SECRET };
}

const imported = (kind: string) => () =>
  readFileSync(join(ROOT, 'test/cli/imports', kind, 'source.yaml'), 'utf8');

/** Blocks of commands that ask no gateway that runs. */
export const asking: Readonly<Record<string, PageScenes>> = {
  'README.md': {
    '$ npx gatehouse validate': files({
      'catalog.yaml': () => catalog().replace('burst: 20', 'burts: 20').replace('ttl: 30s', 'ttl: 30'),
    }),
  },
  'docs/command-line.md': {
    '$ npx gatehouse --help': files({}),
    '$ npx gatehouse validate': files({ 'catalog.yaml': catalog }),
    '$ echo': files({ 'gateway.yaml': CALLERS }, { env: { ...SECRET, GATEHOUSE_CONFIG: 'gateway.yaml' } }),
    '$ npx gatehouse keys create': files({}),
  },
  'docs/explain.md': {
    '$ npx gatehouse explain': files(
      {
        'gateway.yaml': EXPLAINED,
        'new.json': '{"name":"Ann","password":"geheim"}',
        'ann.json': '{"id":"ann","roles":["admin"]}',
      },
      { env: { ...SECRET, GATEHOUSE_CONFIG: 'gateway.yaml' } },
    ),
  },
  'docs/teams.md': {
    'teams/orders.yaml:5:17': {
      set: claiming,
      answer: async () =>
        (await runCommand(['validate', '--config', 'gateway.yaml'], SECRET)).stderr.replace(
          /^1 fault.*\n/m,
          '',
        ),
    },
  },
  'docs/route-tests.md': {
    '$ npx gatehouse simulate': {
      set: () => {
        symlinkSync(join(ROOT, 'config'), 'config');
        writeFileSync('payments.yaml', PAYMENTS);
        return { modules };
      },
    },
  },
  'docs/operations.md': {
    '$ npx gatehouse diff': files({ 'gateway.yaml': OLD, 'new.yaml': NEW }),
  },
  'docs/ask-before-you-change.md': {
    '$ npx gatehouse replay': files(
      { 'gateway.yaml': SERVED, 'new.yaml': STRICTER, 'sample.ndjson': sample },
      { env: SECRET },
    ),
  },
  'docs/importing.md': {
    '$ npx gatehouse import': files({
      'kong.yaml': imported('kong-orders'),
      'shop.yaml': imported('openapi-shop'),
    }),
  },
  'docs/securing.md': {
    '$ npx gatehouse validate': { set: secured },
    '$ npx gatehouse access': { set: secured },
  },
  'docs/modules.md': {
    '$ npx gatehouse validate': {
      set: () => {
        symlinkSync(join(ROOT, 'config'), 'config');
        for (const [name, text] of Object.entries(WRONG_MODULES)) writeFileSync(name, text);
        return { modules, env: SECRET };
      },
    },
  },
};

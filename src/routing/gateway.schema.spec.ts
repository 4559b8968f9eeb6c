import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../config/config-fault.ts';
import { readConfig } from '../config/config-reader.ts';
import { policyRegistry } from '../policies/order.ts';
import { gatewaySchema } from '../pipeline/actions.ts';

function faultsOf(text: string): string[] {
  try {
    readConfig(gatewaySchema, text, 'gateway.yaml', {});
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
  return [];
}

const TLS = { certificates: [{ cert: 'a.pem', key: 'a.key' }], clientCertificates: { ca: 'ca.pem' } };

describe('gatewaySchema', () => {
  it('takes the configuration that is shipped', () => {
    const text = readFileSync(new URL('../../config/gateway.yaml', import.meta.url), 'utf8');
    const { value } = readConfig(gatewaySchema, text, 'config/gateway.yaml', {});
    expect(value.routes.map((route) => route.id)).toContain('users');
    expect(value.upstreams['orders']?.protocol).toBe('grpc');
  });

  it('fills in what is safe: no trusted proxies, no routes', () => {
    expect(gatewaySchema.parse({ version: 1 })).toMatchObject({
      trustedProxies: [],
      floodLimit: 'off',
      routes: [],
      upstreams: {},
    });
  });

  it.each([
    [
      'graphql: { policies: { rateLimit: { rate: 5, cost: query } } }',
      'graphql.policies.rateLimit: expected `graphql.cost`',
    ],
    ['graphql: { cost: { max: 5 }, policies: { rateLimit: { rate: 5, cost: query } } }', undefined],
    ['defaults: { policies: { rateLimit: { rate: 5, cost: query } } }', undefined],
    [
      'defaults: { policies: { quota: { limit: 9, window: day, cost: 4, byTier: { a: 3 } } } }',
      'defaults.policies.quota.byTier.a: expected 0, or at least the cost of 4',
    ],
    [
      'defaults: { policies: { quota: { limit: 9, window: day, cost: 4, byTier: { a: 0, b: 4 } } } }',
      undefined,
    ],
  ])('says of limits that would not hold: %s', (text, fault) => {
    const faults = faultsOf(`version: 1\n${text}`);
    expect(faults).toEqual(fault === undefined ? [] : [expect.stringContaining(fault)]);
  });

  it('knows every policy', () => {
    expect(Object.keys(policyRegistry)).toEqual(
      expect.arrayContaining([
        'authentication',
        'authorization',
        'rateLimit',
        'deadline',
        'cache',
        'transform',
      ]),
    );
  });

  it.each([
    ['compression: gzip', 'compression', 'expected no `compression`, because the protocol is http'],
    ['reflection: {}', 'reflection', 'because the protocol is http'],
    ['targets: [grpc://127.0.0.1:1]', 'targets', 'expected an http:// or https:// origin'],
  ])('refuses what an upstream of HTTP does not know: %s', (key, at, message) => {
    const targets = key.startsWith('targets') ? '' : ', targets: [http://127.0.0.1:1]';
    const faults = faultsOf(`version: 1\nupstreams: { users: { ${key}${targets} } }`);
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^upstreams.users.${at}.*${message}`))]);
  });

  it.each(['loopback', '10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fd00::/8', '2001:db8::/128'])(
    'takes %s for a trusted proxy',
    (proxy) => {
      expect(gatewaySchema.safeParse({ version: 1, trustedProxies: [proxy] }).success).toBe(true);
    },
  );

  it.each([
    'localhost',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0.0/x',
    'fd00::/129',
    'fe80::1%eth0',
    '',
  ])('refuses %s for a trusted proxy', (proxy) => {
    expect(gatewaySchema.safeParse({ version: 1, trustedProxies: [proxy] }).success).toBe(false);
  });

  it.each<[string, object, object, string[]]>([
    ['a listener asks', {}, { listeners: [{ port: 0, tls: TLS }] }, []],
    ['a trusted proxy tells', { forwarded: { field: 'client-cert' } }, { trustedProxies: ['10.0.0.1'] }, []],
    ['nobody asks', {}, { trustedProxies: ['10.0.0.1'] }, ['identity.clientCertificates']],
    [
      'no proxy is trusted',
      { forwarded: { field: 'client-cert' } },
      {},
      ['identity.clientCertificates.forwarded'],
    ],
  ])('has certificates of clients where %s', (_what, more, top, keys) => {
    const clientCertificates = { unmapped: { id: '{uri}' }, ...more };
    const text = JSON.stringify({ version: 1, identity: { clientCertificates }, ...top });
    expect(faultsOf(text).map((fault) => fault.split(':')[0])).toEqual(keys);
  });

  it('checks the policies of upstreams, defaults and routes alike', () => {
    const bad = 'policies: { deadline: 5 }';
    const faults = faultsOf(`
version: 1
defaults: { ${bad} }
upstreams: { users: { targets: ['http://127.0.0.1:1'], ${bad} } }
graphql: { ${bad} }
routes: [{ id: a, match: { path: /a }, upstream: users, ${bad} }]
`);
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'defaults.policies.deadline',
      'upstreams.users.policies.deadline',
      'graphql.policies.deadline',
      'routes[a].policies.deadline',
    ]);
  });

  it.each(['https://App.example.com', 'https://app.example.com:443'])(
    'refuses %j for an origin, which no browser writes so',
    (origin) => {
      expect(faultsOf(`version: 1\ngraphql: { subscriptions: { origins: ['${origin}'] } }\n`)).toEqual([
        expect.stringContaining('expected the origin as browsers write it'),
      ]);
    },
  );

  it.each(['http://127.0.0.1:70000', 'http://[::1', 'http://:80', 'http://999.1.1.1:80', 'http://a:0', 'http://a:', 'http://u:p@a', 'ftp://a', 'http://a b', 'http://a/#f'])(
    'refuses %j wherever a URL stands, with its place',
    (url) => {
      const text = `version: 1
upstreams:
  a:
    targets: [
      '${url}',
      { url: '${url}' } ]
identity:
  issuers:
    - issuer: '${url}'
      jwks: '${url}'
      audiences: [api]
contracts:
  servers: [ '${url}' ]
graphql:
  subscriptions:
    origins: [ '${url}' ]
`;
      try {
        readConfig(gatewaySchema, text, 'gateway.yaml', {});
        expect('no fault').toBe('a fault');
      } catch (error) {
        const { faults } = error as ConfigError;
        expect(faults.map(({ file, line, column, key }) => `${file}:${line}:${column} ${key}`)).toEqual([
          'gateway.yaml:5:7 upstreams.a.targets[0]',
          'gateway.yaml:6:9 upstreams.a.targets[1].url',
          'gateway.yaml:9:7 identity.issuers[0].issuer',
          'gateway.yaml:10:7 identity.issuers[0].jwks',
          'gateway.yaml:13:14 contracts.servers[0]',
          'gateway.yaml:16:16 graphql.subscriptions.origins[0]',
        ]);
        for (const { message } of faults) expect(message).toMatch(/^expected /);
      }
    },
  ); // prettier-ignore

  it.each(['app.example.com', 'https://app.example.com/', 'wss://app.example.com', '*', ''])(
    'refuses %j for an origin of pages that open sockets',
    (origin) => {
      expect(faultsOf(`version: 1\ngraphql: { subscriptions: { origins: ['${origin}'] } }\n`)).toEqual([
        expect.stringMatching(
          /^graphql\.subscriptions\.origins\[0\]: expected .*, such as https:\/\/app\.example\.com$/,
        ),
      ]);
    },
  );

  it('knows where the path of a route belongs', () => {
    const text =
      'version: 1\nroutes:\n  - { id: a, path: /a, upstream: users, policies: { authentication: public } }\n';
    expect(() => readConfig(gatewaySchema, text, 'gateway.yaml', {})).toThrow(
      /^gateway.yaml:3:14 {2}routes\[a\].path {2}unknown key; did you mean "match.path"\?\n1 fault/,
    );
  });

  it.each([
    ['match: { path: a }', 'expected a path that starts with "/"'],
    [`match: { path: '${'/a'.repeat(1001)}' }`, 'expected at most 2000 characters'],
    ['match: { path: /a, hosts: [API.example.com] }', 'lower-case host name'],
    ['match: { path: /a, hosts: ["api.example.com:8080"] }', 'lower-case host name'],
    ['match: { path: /a, methods: [] }', 'match.methods'],
    ['match: { path: /a, methods: [FETCH] }', 'expected one of GET'],
    ['match: { path: /a, headers: { "x y": "1" } }', 'expected a header field name'],
    ['match: { path: /a }, rewrite: {}', 'expected one of stripPrefix, replacePrefix'],
    [
      'match: { path: /a }, rewrite: { stripPrefix: /a, path: /b }',
      'expected one of stripPrefix, replacePrefix',
    ],
    ['match: { path: /a }, polices: {}', 'polices'],
  ])('refuses a route with %s', (route, message) => {
    const faults = faultsOf(`version: 1\nroutes: [{ id: a, upstream: users, ${route} }]\n`);
    expect(faults).toEqual([expect.stringContaining(message)]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { formatFaults, type ConfigError } from '../../config/config-fault.ts';
import { readConfig } from '../../config/config-reader.ts';
import { gatewaySchemaOf } from '../../routing/gateway.schema.ts';
import { upstreamSchema, type UpstreamOptions } from '../upstream.schema.ts';
import { describeSource, discoveryFaults, discoveryWarnings } from './sources.ts';
import { discoverySchema, schemeOf } from './discovery.schema.ts';

const schema = gatewaySchemaOf([]);

function faultsOf(upstream: string): string {
  try {
    readConfig(schema, `version: 1\nupstreams:\n  a: ${upstream}\n`, 'gateway.yaml', {});
    return 'valid';
  } catch (error) {
    return formatFaults((error as ConfigError).faults, { color: false });
  }
}

describe('discovery in the configuration', () => {
  it.each([
    '{ discovery: { dns: { name: users.internal, port: 80 } } }',
    '{ discovery: { dns: { name: _http._tcp.users.internal., type: SRV, servers: [10.0.0.2, "10.0.0.2:5353", fd00::2, "[fd00::2]:53"] } } }',
    '{ protocol: grpc, discovery: { consul: { service: orders, tokenFile: token }, scheme: grpcs }, tls: {} }',
    '{ discovery: { kubernetes: { service: orders, port: http } } }',
    '{ discovery: { kubernetes: { service: orders, port: 8080 } }, tls: {} }',
    '{ discovery: { file: { path: targets.json }, emptyGrace: 0s } }',
  ])('may say %s', (upstream) => {
    expect(faultsOf(upstream)).toBe('valid');
  });

  it.each([
    ['{}', 'upstreams.a', 'expected `targets`, or `discovery` that brings them'],
    ['{ targets: [] }', 'upstreams.a.targets', 'expected'],
    [
      '{ targets: ["http://a"], discovery: { file: { path: x } } }',
      'upstreams.a.discovery',
      'expected one of targets and discovery, not both',
    ],
    ['{ discovery: {} }', 'upstreams.a.discovery', 'expected one of dns, consul, kubernetes, file'],
    [
      '{ discovery: { file: { path: x }, consul: { service: y } } }',
      'upstreams.a.discovery.file',
      'not several',
    ],
    [
      '{ discovery: { file: { path: x }, scheme: http } }',
      'upstreams.a.discovery.scheme',
      'the file says it of each target',
    ],
    ['{ discovery: { consol: { service: y } } }', 'upstreams.a.discovery.consol', 'did you mean "consul"'],
    ['{ discovery: { consul: { servcie: y } } }', 'upstreams.a.discovery.consul', 'did you mean "service"'],
    [
      '{ discovery: { consul: { service: y, tokenEnv: A, tokenFile: b } } }',
      'upstreams.a.discovery.consul.tokenFile',
      'expected one of tokenEnv and tokenFile',
    ],
    [
      '{ discovery: { consul: { service: y, tokenEnv: 12ab-34cd } } }',
      'upstreams.a.discovery.consul.tokenEnv',
      'not the secret itself',
    ],
    [
      '{ discovery: { consul: { service: y, wait: 60 } } }',
      'upstreams.a.discovery.consul.wait',
      'expected a duration with a unit',
    ],
    [
      '{ discovery: { consul: { service: y, wait: 11m } } }',
      'upstreams.a.discovery.consul.wait',
      'expected 1s to 10m',
    ],
    [
      '{ discovery: { consul: { service: y, url: "127.0.0.1:8500" } } }',
      'upstreams.a.discovery.consul.url',
      'expected http:// or https://',
    ],
    [
      '{ discovery: { dns: { name: users.internal } } }',
      'upstreams.a.discovery.dns',
      'expected `port`: records of type A say none',
    ],
    [
      '{ discovery: { dns: { name: x, type: SRV, port: 80 } } }',
      'upstreams.a.discovery.dns.port',
      'expected no `port`: records of type SRV say it',
    ],
    [
      '{ discovery: { dns: { name: "http://x", port: 80 } } }',
      'upstreams.a.discovery.dns.name',
      'expected a name of DNS',
    ],
    ['{ discovery: { dns: { name: x, port: 80, type: MX } } }', 'upstreams.a.discovery.dns.type', 'SRV'],
    [
      '{ discovery: { dns: { name: x, port: 80, servers: [ns.test] } } }',
      'upstreams.a.discovery.dns.servers[0]',
      'expected an address',
    ],
    [
      '{ discovery: { dns: { name: x, port: 80, servers: ["10.0.0.2:0"] } } }',
      'upstreams.a.discovery.dns.servers[0]',
      'expected an address',
    ],
    [
      '{ discovery: { dns: { name: x, port: 80, minTtl: 2m } } }',
      'upstreams.a.discovery.dns.minTtl',
      'no more than `maxTtl`',
    ],
    [
      '{ discovery: { kubernetes: { service: Orders } } }',
      'upstreams.a.discovery.kubernetes.service',
      'a name of Kubernetes',
    ],
    [
      '{ protocol: grpc, discovery: { kubernetes: { service: x }, scheme: http } }',
      'upstreams.a.discovery.scheme',
      'because the protocol is grpc',
    ],
    [
      '{ discovery: { kubernetes: { service: x }, scheme: http }, tls: {} }',
      'upstreams.a.discovery.scheme',
      'because the upstream has `tls`',
    ],
  ])('may not say %s', (upstream, key, message) => {
    const text = faultsOf(upstream);
    expect(text).toMatch(/gateway\.yaml:3:\d+/);
    expect(text).toContain(key);
    expect(text).toContain(message);
  });

  it.each([
    ['http', { protocol: 'http' }, {}],
    ['https', { protocol: 'http', tls: {} }, {}],
    ['grpc', { protocol: 'grpc' }, {}],
    ['grpcs', { protocol: 'grpc', tls: {} }, {}],
    ['https', { protocol: 'http' }, { scheme: 'https' }],
  ] as const)('means %s for %j and %j', (expected, upstream, options) => {
    expect(schemeOf(options, upstream)).toBe(expected);
  });

  it.each([
    ['dns A users.internal', { dns: { name: 'users.internal', port: 80 } }],
    ['consul web', { consul: { service: 'web', tokenFile: '/secret' } }],
    ['kubernetes shop/web', { kubernetes: { service: 'web', namespace: 'shop' } }],
    ['file t.json', { file: { path: 't.json' } }],
  ])('is called %s', (name, options) => {
    expect(describeSource(discoverySchema.parse(options))).toBe(name);
  });

  it.each([
    ['a short name', { discovery: { dns: { name: 'users', port: 80 } } }, 'name it in full'],
    ['a name of Kubernetes', { discovery: { dns: { name: 'users.shop.svc', port: 80 } } }, 'name it in full'],
    ['a full name', { discovery: { dns: { name: 'users.', port: 80 } } }, undefined],
    ['addresses over TLS', { discovery: { consul: { service: 'a' }, scheme: 'https' } }, 'tls.serverName'],
    [
      'a name for them',
      { discovery: { consul: { service: 'a' } }, tls: { serverName: 'a.test' } },
      undefined,
    ],
    ['names over TLS', { discovery: { dns: { name: 'a.test', port: 1 }, scheme: 'https' } }, undefined],
  ] as const)('is warned of for %s', (_what, options, message) => {
    const warnings = discoveryWarnings({ a: upstreamSchema.parse(options) as UpstreamOptions });
    expect(warnings.map((one) => one.message)).toEqual(
      message === undefined ? [] : [expect.stringContaining(message)],
    );
  });

  it('needs the variables and certificates that it names', () => {
    const options = upstreamSchema.parse({
      discovery: { consul: { service: 'web', tokenEnv: 'NO_TOKEN', ca: 'nowhere.pem' } },
    });
    const upstreams = { a: options as UpstreamOptions };
    expect(discoveryFaults(upstreams, { folder: '.', environment: {} })).toEqual([
      {
        path: ['upstreams', 'a', 'discovery', 'consul', 'tokenEnv'],
        message: 'set the environment variable NO_TOKEN',
      },
      {
        path: ['upstreams', 'a', 'discovery', 'consul', 'ca'],
        message: 'the file nowhere.pem cannot be read, or has no certificate (PEM)',
      },
    ]);
    expect(discoveryFaults(upstreams, { folder: '.', environment: { NO_TOKEN: 'x' } })).toHaveLength(1);
  });

  it('needs the file of a token that it names', () => {
    const options = upstreamSchema.parse({ discovery: { consul: { service: 'web', tokenFile: 'none' } } });
    expect(discoveryFaults({ a: options as UpstreamOptions }, { folder: '/nowhere' })).toEqual([
      {
        path: ['upstreams', 'a', 'discovery', 'consul', 'tokenFile'],
        message: 'cannot read /nowhere/none (ENOENT)',
      },
    ]);
  });

  it('needs a file of its own for what was last known, and a file needs none', () => {
    const kept = (lastKnown: string) =>
      upstreamSchema.parse({ discovery: { consul: { service: 'web' }, lastKnown } }) as UpstreamOptions;
    expect(
      discoveryFaults({ a: kept('x.json'), b: kept('y.json'), c: kept('./x.json') }, { folder: '.' }),
    ).toEqual([
      {
        path: ['upstreams', 'c', 'discovery', 'lastKnown'],
        message: 'expected a file of its own: the upstream "a" has this one',
      },
    ]);
    const { error } = discoverySchema.safeParse({ file: { path: 'x' }, lastKnown: 'y' });
    expect(error?.issues.map(({ path, message }) => [path, message])).toEqual([
      [['lastKnown'], 'expected no `lastKnown`: the file is there at a start by itself'],
    ]);
  });
});

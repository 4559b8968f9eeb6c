import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../src/config/config-fault.ts';
import { policyList } from '../../src/policies/order.ts';
import { checkGateway } from '../support/gateway.ts';
import { policyRows } from '../support/policy-rows.ts';

type Policies = Readonly<Record<string, unknown>>;

const object = { type: 'object' };
const openapi = { file: 'test/support/openapi/orders.yaml' };
const perTarget = [{ request: { setHeaders: { 'x-a': 'b' } } }];

/** A route of each kind. */
const KINDS: Readonly<Record<string, object>> = {
  forward: { match: { path: '/forward' }, upstream: 'http' },
  writing: { match: { path: '/writing', methods: ['POST', 'HEAD'] }, upstream: 'http' },
  passGrpc: { match: { path: '/a.B/*' }, upstream: 'grpc', passGrpc: true },
  aggregate: {
    match: { path: '/aggregate' },
    aggregate: { calls: { one: { upstream: 'http', path: '/one', required: true } } },
  },
  redirect: { match: { path: '/redirect' }, redirect: { path: '/elsewhere' } },
  respond: { match: { path: '/respond' }, respond: { body: '{}' } },
};

/** What does nothing at a kind of route, by the key that says so. */
const IDLE: readonly (readonly [kind: string, key: string, policies: Policies])[] = [
  ['forward', 'circuitBreaker', { circuitBreaker: 'off' }],
  ['forward', 'circuitBreaker', { circuitBreaker: {} }],
  ['redirect', 'circuitBreaker', { circuitBreaker: 'off' }],
  ['forward', 'rateLimit', { rateLimit: { key: 'ip', rate: 5, per: '1s', perMessage: 1 } }],
  ['writing', 'cache', { cache: { ttl: '1s' } }],
  ['passGrpc', 'validation.answer', { validation: { answer: object } }],
  ['passGrpc', 'validation.body', { validation: { body: object } }],
  ['passGrpc', 'validation.openapi', { validation: { openapi } }],
  ['passGrpc', 'transform', { transform: { request: { body: [{ remove: ['a'] }] } } }],
  ['passGrpc', 'transform', { transform: { response: { maskFields: ['a'] } } }],
  ['aggregate', 'validation.body', { validation: { body: object } }],
  ['aggregate', 'transform.request.setHeaders', { transform: { request: { setHeaders: { 'x-a': 'b' } } } }],
  ['aggregate', 'transform.request.body', { transform: { request: { body: [{ remove: ['a'] }] } } }],
  ['aggregate', 'transform.perTarget', { transform: { perTarget } }],
  ['redirect', 'bodyIdle', { bodyIdle: '1s' }],
  ['redirect', 'compression', { compression: {} }],
  ['redirect', 'validation.body', { validation: { body: object } }],
  ['redirect', 'validation.openapi', { validation: { openapi } }],
  ['redirect', 'validation.answer', { validation: { answer: object } }],
  ['redirect', 'transform.request.removeHeaders', { transform: { request: { removeHeaders: ['x-a'] } } }],
  ['redirect', 'transform.request.body', { transform: { request: { body: [{ remove: ['a'] }] } } }],
  ['redirect', 'transform.response.maskFields', { transform: { response: { maskFields: ['a'] } } }],
  ['redirect', 'transform.response.body', { transform: { response: { body: [{ remove: ['a'] }] } } }],
  ['redirect', 'transform.response.template', { transform: { response: { template: { a: 'b' } } } }],
  ['redirect', 'transform.perTarget', { transform: { perTarget } }],
  ['respond', 'bodyIdle', { bodyIdle: '1s' }],
  ['respond', 'validation.body', { validation: { body: object } }],
  ['respond', 'validation.openapi', { validation: { openapi } }],
  ['respond', 'transform.request.addHeaders', { transform: { request: { addHeaders: { 'x-a': 'b' } } } }],
  ['respond', 'transform.request.renameHeaders', { transform: { request: { renameHeaders: { a: 'b' } } } }],
  ['respond', 'transform.perTarget', { transform: { perTarget } }],
];
/** The same for all that a policy says of a door, in the words that its test acts with. */
const UNFIT = policyList.flatMap(({ name, unfit = {} }) =>
  (
    [
      ['aggregate', unfit.aggregated],
      ['passGrpc', unfit.passedGrpc],
      ['forward', unfit.proxied],
    ] as const
  )
    .filter(([, reason]) => reason !== undefined)
    .map(([kind, reason]) => [kind, name, { [name]: policyRows.get(name)?.options }, reason ?? ''] as const),
);

const configOf = (routes: readonly object[], more: object = {}): string =>
  JSON.stringify({
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: {
      http: { targets: ['http://127.0.0.1:1'] },
      grpc: { protocol: 'grpc', targets: ['grpc://127.0.0.1:1'] },
    },
    routes,
    ...more,
  });

async function faultsOf(config: string): Promise<readonly { key: string; message: string }[]> {
  const refused = await checkGateway({ config }).then(
    () => new ConfigError([]),
    (error: unknown) => error,
  );
  if (!(refused instanceof ConfigError)) throw refused;
  return refused.faults.map(({ key, message }) => ({ key, message }));
}

describe('what a route says itself', () => {
  it('is refused with its place where it would do nothing', async () => {
    const all = [...IDLE, ...UNFIT];
    const routes = all.map(([kind, , policies], index) => ({
      ...KINDS[kind],
      id: `r${index}`,
      policies: { authentication: 'public', ...policies },
    }));
    const faults = await faultsOf(configOf(routes));
    expect(faults.map(({ key }) => key)).toEqual(
      all.map(([, key], index) => `routes[r${index}].policies.${key}`),
    );
    UNFIT.forEach(([, , , reason], at) => expect(faults[IDLE.length + at]?.message).toContain(reason));
    // A reason each, not the same words for all.
    expect(faults.filter(({ message }) => message.includes('undefined'))).toEqual([]);
  });

  it('is placed below the version that says it', async () => {
    const one = { upstream: 'http', policies: { cache: { ttl: '1s' } } };
    const versions = { by: 'path', of: { v1: { upstream: 'http' }, v2: one } };
    const match = { path: '/{version}/a', methods: ['POST'] };
    const faults = await faultsOf(configOf([{ id: 'many', match, versions }]));
    expect(faults.map(({ key }) => key)).toEqual(['routes[many].versions.of.v2.policies.cache']);
  });
});

describe('what a route inherits', () => {
  it('may do nothing there', async () => {
    const policies = {
      authentication: 'public',
      bodyIdle: '1s',
      cache: { ttl: '1s' },
      compression: {},
      transform: { request: { setHeaders: { 'x-a': 'b' }, body: [{ remove: ['a'] }] }, perTarget },
      validation: { openapi, maxBody: '1KiB' },
    };
    const routes = ['forward', 'writing', 'aggregate', 'redirect', 'respond'].map((id) => ({
      ...KINDS[id],
      id,
    }));
    expect(await faultsOf(configOf(routes, { defaults: { policies } }))).toEqual([]);
  });

  it('is never passed over where it keeps something back', async () => {
    const policies = { authentication: 'public', transform: { response: { maskFields: ['a'] } } };
    const faults = await faultsOf(
      configOf([{ ...KINDS['passGrpc'], id: 'calls' }], { defaults: { policies } }),
    );
    expect(faults.map(({ key }) => key)).toContain('routes[calls].policies.transform');
  });

  it('is refused of a breaker, which belongs to upstreams', async () => {
    const http = { targets: ['http://127.0.0.1:1'], policies: { circuitBreaker: {} } };
    const more = {
      upstreams: { http },
      defaults: { policies: { authentication: 'public', circuitBreaker: 'off' } },
    };
    const faults = await faultsOf(configOf([{ ...KINDS['forward'], id: 'a' }], more));
    expect(faults).toEqual(
      ['defaults', 'upstreams.http'].map((place) => ({
        key: `${place}.policies.circuitBreaker`,
        message: expect.stringContaining('say it as `upstreams.<name>.circuitBreaker`'),
      })),
    );
  });

  it('can be switched off of a breaker that handlers have', async () => {
    const defaults = { policies: { authentication: 'public', circuitBreaker: {} } };
    const route = { ...KINDS['forward'], id: 'a', policies: { circuitBreaker: 'off' } };
    expect(await faultsOf(configOf([route], { defaults }))).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post, Sse, type Type } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import { EMPTY, type Observable } from 'rxjs';
import type { GatewayModule } from '../../src/config/gateway-module.ts';
import { ConfigError } from '../../src/config/config-fault.ts';
import { Cache } from '../../src/policies/cache/cache.policy.ts';
import { Compression } from '../../src/policies/compression/compression.policy.ts';
import { ExternalAuthorization } from '../../src/policies/external-authorization/external-authorization.policy.ts';
import { policyList } from '../../src/policies/order.ts';
import { RateLimit } from '../../src/policies/rate-limit/rate-limit.policy.ts';
import { Transform } from '../../src/policies/transform/transform.policy.ts';
import { Validation } from '../../src/policies/validation/validation.policy.ts';
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
  ['forward', 'rateLimit.cost', { rateLimit: { key: 'ip', rate: 5, cost: 'query' } }],
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

async function faultsOf(
  config: string,
  modules: readonly (Type | GatewayModule)[] = [],
): Promise<readonly { file: string; key: string; message: string }[]> {
  const refused = await checkGateway({ config, modules }).then(
    () => new ConfigError([]),
    (error: unknown) => error,
  );
  if (!(refused instanceof ConfigError)) throw refused;
  return refused.faults.map(({ file, key, message }) => ({ file, key, message }));
}

@Resolver()
class NoneIdleResolver {
  @Query(() => String)
  one(): string {
    return '';
  }
}
@Module({ providers: [NoneIdleResolver] })
class NoneIdle {}

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

describe('what a handler says itself', () => {
  const said = { transform: { request: { setHeaders: { 'x-a': 'b' } } } };
  const externalAuthorization = { upstream: 'http', forward: { headers: ['x-level'] } };

  @Controller('idle')
  class IdleController {
    @Get('a')
    @Transform(said.transform)
    header(): void {}
    @Get('b')
    @Transform({ request: { body: [{ remove: ['a'] }] } })
    @Validation({ body: object })
    body(): void {}
    @Post('c')
    @Transform({ request: { body: [{ remove: ['a'] }] } })
    @Validation({ body: object })
    written(): void {}
    @Sse('d')
    @Compression({})
    events(): Observable<never> {
      return EMPTY;
    }
    @Sse('e')
    @Validation({ answer: object })
    checked(): Observable<never> {
      return EMPTY;
    }
    @Get('f')
    @RateLimit({ rate: 5, perMessage: 1 })
    messages(): void {}
    @Get('i')
    @RateLimit([{ rate: 5 }, { key: 'ip', rate: 5, cost: 'query' }])
    priced(): void {}
    @Get('g')
    @ExternalAuthorization(externalAuthorization)
    told(): void {}
    @Sse('h')
    @Cache({ ttl: '1s' })
    keptEvents(): Observable<never> {
      return EMPTY;
    }
    @Post('j')
    @Cache({ ttl: '1s' })
    keptChange(): void {}
  }
  @Controller('wide')
  @Validation({ body: object })
  @Compression({})
  @Cache({ ttl: '1s' })
  @Transform(said.transform)
  class WideController {
    @Get('a')
    one(): void {}
    @Sse('b')
    events(): Observable<never> {
      return EMPTY;
    }
  }
  @Resolver()
  class IdleResolver {
    @Query(() => String)
    @Cache({ ttl: '1s', staleIfError: '1s' })
    stale(): string {
      return '';
    }
    @Query(() => String)
    @Cache({ ttl: '1s', maxBody: '1KiB' })
    large(): string {
      return '';
    }
    @Query(() => String)
    @RateLimit({ rate: 5, perMessage: 1 })
    messages(): string {
      return '';
    }
  }
  @Module({ controllers: [IdleController, WideController] })
  class Handlers {}
  @Module({ providers: [IdleResolver] })
  class Fields {}

  it('is refused with its class and method where it would do nothing', async () => {
    const faults = await faultsOf(configOf([]), [Handlers]);
    expect(faults.map(({ key }) => key.replace('  ', ' ')).sort()).toEqual([
      'IdleController.body policies.transform.request.body',
      'IdleController.checked policies.validation.answer',
      'IdleController.events policies.compression',
      'IdleController.header policies.transform.request.setHeaders',
      'IdleController.keptChange policies.cache',
      'IdleController.keptEvents policies.cache',
      'IdleController.messages policies.rateLimit',
      'IdleController.priced policies.rateLimit.cost',
      'IdleController.told policies.externalAuthorization.forward.headers',
      'WideController.events policies.transform.request.setHeaders',
      'WideController.one policies.transform.request.setHeaders',
    ]);
  });

  it('is refused on fields of GraphQL', async () => {
    const faults = await faultsOf(configOf([], { modules: ['fields'] }), [
      { name: 'fields', module: Fields, graphql: true },
    ]);
    expect(faults.map(({ message }) => message).sort()).toEqual([
      expect.stringMatching(/^IdleResolver\.large: `cache\.maxBody` has no effect/),
      expect.stringMatching(/^IdleResolver\.messages: `rateLimit\.perMessage` has no effect/),
      expect.stringMatching(/^IdleResolver\.stale: `cache\.staleIfError` has no effect/),
    ]);
  });

  it.each([
    ['transform.request.setHeaders', said],
    ['validation', { validation: { query: object } }],
    ['bodyAuthorization', { bodyAuthorization: { when: 'body.a == 1' } }],
    ['cache', { cache: { ttl: '1s' } }],
    ['rateLimit', { rateLimit: { rate: 5, perMessage: 1 } }],
    ['externalAuthorization.forward.headers', { externalAuthorization }],
  ])('is refused at the door of GraphQL: %s', async (key, policies) => {
    const faults = await faultsOf(configOf([], { modules: ['open'], graphql: { policies } }), [
      { name: 'open', module: NoneIdle, graphql: true },
    ]);
    expect(faults.map((one) => one.key)).toContain(`graphql.policies.${key}`);
  });
});

describe('what a route inherits', () => {
  it('may do nothing there', async () => {
    const policies = {
      authentication: 'public',
      bodyIdle: '1s',
      cache: { ttl: '1s' },
      compression: {},
      rateLimit: { rate: 5, cost: 'query' },
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

  it('edits no answers of the gateway itself, so that a default may mask', async () => {
    const policies = { authentication: 'public', transform: { response: { maskFields: ['a'] } } };
    expect(await faultsOf(configOf([{ ...KINDS['forward'], id: 'a' }], { defaults: { policies } }))).toEqual(
      [],
    );
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
        file: 'gateway.yaml',
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

import { pino } from 'pino';
import { describe, expect, it } from '@jest/globals';
import { createCompiler, defineRoute } from '../../test/support/routes.ts';
import { BodyIdleStageFactory } from '../policies/body-idle/body-idle.stage.ts';
import { BodyLimitStageFactory } from '../policies/body-limit/body-limit.stage.ts';
import { CacheStageFactory } from '../policies/cache/cache.stage-factory.ts';
import { CircuitBreakerStageFactory } from '../policies/circuit-breaker/circuit-breaker.stage.ts';
import { DeadlineStageFactory } from '../policies/deadline/deadline.stage.ts';
import { policyRegistry } from '../policies/order.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { upstreamSchema } from '../upstreams/upstream.schema.ts';
import { TransformStageFactory } from '../policies/transform/transform.stage.ts';
import { RouteFault } from './route-fault.ts';

const factories = [
  new BodyLimitStageFactory(),
  new BodyIdleStageFactory(),
  new DeadlineStageFactory(),
  new TransformStageFactory(),
  new CacheStageFactory(),
  new CircuitBreakerStageFactory(),
];

function faultOf(compile: () => unknown): { key: string; message: string } {
  try {
    compile();
  } catch (error) {
    if (error instanceof RouteFault) return { key: error.key.join('.'), message: error.message };
    throw error;
  }
  throw new Error('the route was compiled');
}

describe('RouteCompiler', () => {
  it('refuses a route that says nothing about authentication', () => {
    const { key, message } = faultOf(() =>
      createCompiler().compile(defineRoute({ path: '/a', policies: [{}] })),
    );
    expect(key).toBe('policies.authentication');
    expect(message).toContain('does not say who may call it');
  });

  it('refuses a route that only switches authentication off', () => {
    const compiler = createCompiler([], { defaults: { authentication: { schemes: ['jwt'] } } });
    const route = defineRoute({ path: '/a', policies: [{ authentication: 'off' }] });
    expect(faultOf(() => compiler.compile(route)).key).toBe('policies.authentication');
  });

  it('takes authentication from the defaults', () => {
    const compiler = createCompiler([], { defaults: { authentication: { schemes: ['jwt'] } } });
    expect(compiler.compile(defineRoute({ path: '/a', policies: [{}] })).policies).toMatchObject({
      authentication: { schemes: ['jwt'] },
    });
  });

  it('bounds in time what nobody says anything about, until somebody says `off`', () => {
    const compiler = createCompiler();
    const { policies } = compiler.compile(defineRoute({ path: '/a' }));
    expect(policies).toEqual({ authentication: 'public', deadline: 60_000, bodyIdle: 30_000 });
    const off = [{ authentication: 'public', deadline: 'off', bodyIdle: 'off' }] as const;
    expect(compiler.compile(defineRoute({ path: '/a', policies: off })).policies).toEqual({
      authentication: 'public',
    });
  });

  it('takes the silence of a body from the upstream of a route', () => {
    const options = { targets: ['http://127.0.0.1:1'], timeouts: { idle: '7s' } };
    const upstreams = new UpstreamRegistry(
      { slow: upstreamSchema.parse(options) },
      pino({ level: 'silent' }),
      new Metrics(),
    );
    const compiler = createCompiler([], { upstreams });
    expect(compiler.compile(defineRoute({ path: '/a', upstream: 'slow' })).policies.bodyIdle).toBe(7000);
  });

  it('freezes what it compiles', () => {
    const route = createCompiler(factories).compile(
      defineRoute({ path: '/a', policies: [{ authentication: 'public', deadline: 10 }] }),
    );
    for (const part of [route, route.policies, route.stages, route.seats])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it.each([
    [{ path: '/a//' }, 'match.path', 'expected no empty segment in "/a//"'],
    [{ path: '/a', upstream: 'user' }, 'upstream', 'there is no upstream "user"'],
    [
      { path: '/a', upstream: 'orders' },
      'upstream',
      'the upstream "orders" speaks gRPC; a route needs one that speaks http, `passGrpc: true` beside it, or `grpc` in place of `match`',
    ],
    [
      { path: '/a', upstream: 'users', rewrite: { stripPrefix: '/b' } },
      'rewrite.stripPrefix',
      'expected a prefix of "/a", got "/b"',
    ],
  ])('refuses %j', (route, key, message) => {
    expect(faultOf(() => createCompiler().compile(defineRoute(route)))).toEqual({ key, message });
  });

  it('places what a policy has against the route under its policies', () => {
    const circuitBreaker = policyRegistry.circuitBreaker.schema.parse({});
    const route = defineRoute({ path: '/a', policies: [{ authentication: 'public', circuitBreaker }] });
    expect(faultOf(() => createCompiler(factories).compile(route))).toEqual({
      key: 'policies.circuitBreaker',
      message: expect.stringContaining('belongs to its upstream'),
    });
  });
});

describe('the merge of policies', () => {
  const wide = policyRegistry.transform.schema.parse({ response: { maskFields: ['wide'] } });
  const narrow = policyRegistry.transform.schema.parse({ response: { removeHeaders: ['x-narrow'] } });
  const parts = {
    defaults: { authentication: 'public' as const, deadline: 1, bodyLimit: 1, transform: wide },
    upstreamPolicies: { users: { deadline: 2, bodyLimit: 2 } },
  };
  const compile = (policies: Parameters<typeof defineRoute>[0]['policies'], upstream: string | undefined) =>
    createCompiler(factories, parts).compile(
      defineRoute({ path: '/a', door: 'handler', policies: policies ?? [], upstream }),
    );

  it('lets the narrowest level win: method, class, upstream, defaults', () => {
    const { policies } = compile([{ deadline: 4 }, { deadline: 3, bodyLimit: 3 }], 'users');
    expect(policies).toMatchObject({ deadline: 4, bodyLimit: 3 });
    expect(compile([], 'users').policies).toMatchObject({ deadline: 2, bodyLimit: 2 });
    expect(compile([], undefined).policies).toMatchObject({ deadline: 1, bodyLimit: 1 });
  });

  it('replaces a policy whole, and never mixes two levels of one', () => {
    expect(compile([{ transform: narrow }], undefined).policies.transform).toBe(narrow);
  });

  it('switches off with `off`, at any level, and a narrower level can switch on again', () => {
    expect(compile([{ deadline: 'off' }], 'users').policies.deadline).toBeUndefined();
    expect(compile([{ deadline: 9 }, { deadline: 'off' }], 'users').policies.deadline).toBe(9);
  });
});

describe('the stages of a route', () => {
  const all = {
    authentication: 'public' as const,
    bodyLimit: 10,
    deadline: 10,
    transform: policyRegistry.transform.schema.parse({
      request: { setHeaders: { 'x-a': '1' } },
      response: { maskFields: ['internal'] },
    }),
    cache: policyRegistry.cache.schema.parse({ ttl: '1s' }),
  };

  it('stand in execution order, whatever the order of the policies', () => {
    const route = createCompiler(factories).compile(
      defineRoute({ path: '/a', upstream: 'users', policies: [{ ...all }] }),
    );
    const names = ['bodyLimit', 'bodyIdle', 'deadline', 'transform', 'cache', 'circuitBreaker'];
    expect(Object.keys(route.seats)).toEqual(names);
    expect(route.stages).toEqual(names.map((name) => route.seats[name]));
    expect(route.leaving).toEqual([route.seats['transform']]);
  });

  it('are exactly those that the route declares', () => {
    const policies = [{ authentication: 'public', deadline: 'off', bodyIdle: 'off' }] as const;
    const route = createCompiler(factories).compile(defineRoute({ path: '/a', policies }));
    expect(route.stages).toEqual([]);
    expect(route.leaving).toEqual([]);
  });
});

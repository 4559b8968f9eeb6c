import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createCompiler, defineRoute, type TestRoute } from '../../test/support/routes.ts';
import { authenticationSchema } from '../policies/authentication/requirement.schema.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { routeIdentitySchema, upstreamIdentitySchema } from '../upstreams/identity/identity.schema.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { upstreamSchema } from '../upstreams/upstream.schema.ts';
import { RouteFault } from './route-fault.ts';
import type { DeclaredPolicies } from './route.ts';

const FORWARDS: DeclaredPolicies = { authentication: { schemes: ['session'], accessToken: 'forward' } };
const targets = ['http://127.0.0.1:1'];
const exchange = { url: 'http://127.0.0.1:2/token', clientId: 'g', clientSecretEnv: 'S' };

function compile(route: Partial<TestRoute>, defaults = {}) {
  const metrics = new Metrics();
  const upstreams = new UpstreamRegistry(
    {
      users: upstreamSchema.parse({ targets }),
      deaf: upstreamSchema.parse({ targets, identity: { authorization: 'remove' } }),
      ledger: upstreamSchema.parse({ targets, identity: { exchange } }),
    },
    pino({ level: 'silent' }),
    metrics,
  );
  return createCompiler([], { upstreams, metrics, defaults }).compile(
    defineRoute({ path: '/a', upstream: 'users', ...route }),
  );
}

function faultOf(route: Partial<TestRoute>, defaults = {}): string | undefined {
  try {
    compile(route, defaults);
    return undefined;
  } catch (error) {
    if (!(error instanceof RouteFault)) throw error;
    return error.key.join('.');
  }
}

describe('a route that sends the token of a session', () => {
  it('may lead to an upstream that takes away what clients send', () => {
    expect(faultOf({ upstream: 'deaf', policies: [FORWARDS] })).toBeUndefined();
    expect(compile({ policies: [FORWARDS] }).fieldRules).toBeUndefined();
  });

  it.each<[string, string, Partial<TestRoute>, object]>([
    ['takes the field away', 'identity.authorization', { identity: { authorization: 'remove' } }, {}],
    [
      'takes it away and inherits the policy',
      'identity.authorization',
      { identity: { authorization: 'remove' }, policies: [] },
      FORWARDS,
    ],
    ['leads where tokens are exchanged', 'policies.authentication.accessToken', { upstream: 'ledger' }, {}],
  ])('is a fault when it %s', (_what, key, route, defaults) => {
    expect(faultOf({ policies: [FORWARDS], ...route }, defaults)).toBe(key);
  });

  it.each([
    [{ setHeaders: { Authorization: 'Basic x' } }, 'setHeaders.Authorization'],
    [{ addHeaders: { authorization: 'Basic x' } }, 'addHeaders.authorization'],
    [{ renameHeaders: { authorization: 'x-old' } }, 'renameHeaders.authorization'],
    [{ renameHeaders: { 'x-token': 'Authorization' } }, 'renameHeaders.x-token'],
    [{ removeHeaders: ['x-a', 'authorization'] }, 'removeHeaders.1'],
  ])('is a fault when a transformation edits the field: %j', (edits, key) => {
    const transform = { request: { maxBody: 1, onFault: 'fail', ...edits } } as const;
    expect(faultOf({ policies: [{ ...FORWARDS, transform }] })).toBe(`policies.transform.request.${key}`);
    // Without a token it is an edit as any other.
    expect(faultOf({ policies: [{ authentication: 'public', transform }] })).toBeUndefined();
  });
});

describe('what is said of fields', () => {
  it('has rules of its own on a route that says something', () => {
    const rules = compile({ identity: { authorization: 'remove' } }).fieldRules;
    expect([rules?.takes('authorization'), rules?.takes('accept')]).toEqual([false, true]);
    expect(faultOf({ upstream: 'ledger', identity: { authorization: 'forward' } })).toBe(
      'identity.authorization',
    );
  });

  it.each([
    [{ authorization: 'forward', allowHeaders: ['accept'] }, 'authorization'],
    [{ authorization: 'remove', allowHeaders: ['accept', 'Authorization'] }, 'allowHeaders.1'],
  ])('may not contradict itself: %j', (identity, path) => {
    for (const schema of [routeIdentitySchema, upstreamIdentitySchema])
      expect(schema.safeParse(identity).error?.issues.map((one) => one.path.join('.'))).toEqual([path]);
  });

  it('may name the field one way or another', () => {
    for (const allowHeaders of [['authorization'], ['auth*']])
      expect(routeIdentitySchema.safeParse({ authorization: 'forward', allowHeaders }).success).toBe(true);
  });
});

describe('the authentication of a route', () => {
  it('may not both let nobody in and send him to log in', () => {
    const given = { schemes: ['session'], optional: true, onNavigation: 'login' };
    expect(authenticationSchema.safeParse(given).success).toBe(false);
    expect(authenticationSchema.safeParse({ ...given, optional: false }).success).toBe(true);
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import type { DynamicModule } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import { policyRows } from '../../../../test/support/policy-rows.ts';
import type { ConfigError } from '../../../config/config-fault.ts';
import { AuthorizationStageFactory } from '../../../policies/authorization/authorization.stage.ts';
import { RateLimitStageFactory } from '../../../policies/rate-limit/rate-limit.stage.ts';
import { MemoryTokenBucket } from '../../../policies/rate-limit/token-bucket.memory.ts';
import type { Policy as AnyPolicy } from '../../../policies/policy.ts';
import { policyRegistry, type PolicyName } from '../../../policies/order.ts';
import { Snapshots } from '../../../snapshot/snapshots.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { FIELDS, TYPES } from './field-places.fixture.ts';
import { Mask } from './mask.decorator.ts';
import { text, type On, type Place, type Placed, type Places } from './placed.fixture.ts';
import { HANDLERS, RESOLVERS, ROOTS } from './root-places.fixture.ts';
import { USELESS } from './useless-places.fixture.ts';

/** Options of policies; others bring some with them. */
const SAMPLES: Readonly<Partial<Record<PolicyName, unknown>>> = {
  authentication: { schemes: ['jwt'] },
  authorization: { anyRole: ['user'] },
  bodyLimit: '1KiB',
  bodyIdle: '10s',
  rateLimit: { key: 'ip', rate: 1000 },
  deadline: '10s',
  transform: { response: { maskFields: ['x'] } },
  cache: { ttl: '1s' },
  circuitBreaker: {},
};
const NAMES = [...(Object.keys(policyRegistry) as PolicyName[]), 'mask'] as const;
type Policy = (typeof NAMES)[number];
// As many types of options as there are policies are too many for one call.
const everyPolicy: Readonly<Record<PolicyName, AnyPolicy>> = policyRegistry;
const decoratorOf = (name: Policy): On =>
  (name === 'mask'
    ? Mask({ unless: { anyRole: ['user'] } })
    : everyPolicy[name].decorator((SAMPLES[name] ?? policyRows.get(name)?.options) as never)) as On;

let count = 0;
const running: BffApp[] = [];
afterEach(() => Promise.all(running.splice(0).map((app) => app.stop())));

@Resolver()
class AnyResolver {
  @Query(text)
  any(): string {
    return 'any';
  }
}

/** A policy at a place, whose classes have names that no other place has: they end with a number. */
function placedOnce(policy: Policy, place: Place): Placed & { readonly id: string } {
  const id = `${(count += 1)}`;
  const named = (target: object): void => {
    const owner = typeof target === 'function' ? target : target.constructor;
    if (!owner.name.endsWith(id)) Object.defineProperty(owner, 'name', { value: owner.name + id });
  };
  const on = decoratorOf(policy) as (target: object, ...rest: unknown[]) => void;
  const onNamed = (target: object, ...rest: unknown[]): void => {
    named(target);
    on(target, ...rest);
  };
  const placed = place(onNamed as On, id);
  for (const one of [...(placed.providers ?? []), ...(placed.controllers ?? [])])
    if (typeof one === 'function') named(one);
  return { ...placed, id };
}

type Put = readonly [policy: Policy, name: string, place: Place];

/** A gateway with policies at some places, and what is there. */
async function start(puts: readonly Put[]) {
  const placed = puts.map(([policy, name, place]) => ({ policy, name, ...placedOnce(policy, place) }));
  const modules = placed.map(({ module = class Placed {}, providers = [], controllers = [] }) => {
    return { module, providers, controllers } as unknown as DynamicModule;
  });
  const limits = new RateLimitStageFactory(new MemoryTokenBucket(), new MemoryTokenBucket());
  const app = await startBff({
    modules: [...modules, { module: class AnyModule {}, providers: [AnyResolver] }],
    factories: [new AuthorizationStageFactory(), limits],
    door: { authentication: { schemes: ['jwt', 'apiKey'] } },
    defaults: { authentication: { schemes: ['jwt'] } },
  });
  running.push(app);
  return { app, placed };
}

async function shownTo(url: string, query: string, headers: Record<string, string> = {}): Promise<string> {
  const accept = query.startsWith('subscription') ? { accept: 'text/event-stream' } : {};
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...accept, ...headers } };
  return (await fetch(`${url}/graphql`, { ...init, body: JSON.stringify({ query }) })).text();
}

/** Which policies hold at which places. */
const HOLD: readonly (readonly [Places, readonly string[]])[] = [
  [FIELDS, ['authentication', 'authorization', 'cache', 'mask']],
  [TYPES, ['authentication', 'authorization', 'cache']],
  [ROOTS, ['authentication', 'authorization', 'cache', 'mask', 'rateLimit']],
  [RESOLVERS, ['authentication', 'authorization', 'cache', 'rateLimit']],
  [HANDLERS, NAMES.filter((name) => name !== 'mask')],
  [USELESS, []],
];
const putsOf = (policy: Policy, holds: boolean): Put[] =>
  HOLD.flatMap(([places, hold]) => {
    // These handlers are of GET, which has nothing that a key could be for.
    if (policy === 'idempotency' && places === HANDLERS) return [];
    return hold.includes(policy) === holds
      ? Object.entries(places).map(([name, place]) => [policy, name, place] as const)
      : [];
  });

describe('each policy at each place', () => {
  it('is refused wherever nobody enforces it, everything at once', async () => {
    const puts = NAMES.flatMap((policy) => putsOf(policy, false));
    const error = await start(puts).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const { faults } = error as ConfigError;
    const told = NAMES.map((policy) => {
      const named = [`"${policy}"`, ...(policy === 'rateLimit' ? ['@RateLimit belongs to'] : [])];
      const of = faults.filter(
        ({ key, message }) => key.endsWith(`.${policy}`) || named.some((name) => message.includes(name)),
      );
      return [policy, of.length];
    });
    expect(told).toEqual(NAMES.map((policy) => [policy, putsOf(policy, false).length]));
    expect(faults).toHaveLength(puts.length);
    // A thousand classes, on a machine that may be busy.
  }, 60_000);

  it('is in force wherever it holds, and handlers have it', async () => {
    const { app, placed } = await start(NAMES.flatMap((policy) => putsOf(policy, true)));
    const routes = app.app.get(Snapshots).current.table.routes.filter(({ id }) => id.startsWith('placed'));
    const has = new Map(routes.map(({ id, policies }) => [/^\D+(\d+)\./.exec(id)?.[1], policies]));
    const handlers = placed.filter(({ controllers }) => controllers !== undefined);
    expect(routes).toHaveLength(handlers.length);
    for (const { id, policy, name } of handlers)
      expect([name, Object.keys(has.get(id) ?? {})]).toEqual([name, expect.arrayContaining([policy])]);
    const without = NAMES.filter((name) => !handlers.some(({ policy }) => policy === name));
    expect(without).toEqual(['idempotency', 'mask']);
  });

  it.each(['authentication', 'authorization', 'mask'] as const)(
    '%s keeps guests from reading wherever it holds, cold and compiled, and nobody else',
    async (policy) => {
      const { app, placed } = await start(putsOf(policy, true));
      for (const { name, query } of placed) {
        if (query === undefined) continue;
        for (let run = 0; run < 4; run += 1) {
          const seen = await shownTo(app.url, query);
          expect([name, seen.includes(':"secret"'), seen.includes('permission-denied')]).toEqual([
            name,
            false,
            policy !== 'mask',
          ]);
          expect([name, await shownTo(app.url, query, { 'x-test-user': 'a' })]).toEqual([
            name,
            expect.stringContaining(':"secret"'),
          ]);
        }
      }
    },
  );

  it('throws where no class is left to look at: at parameters and static members', () => {
    const on = decoratorOf('authorization') as unknown as ParameterDecorator;
    expect(() => {
      class OnParameter {
        answer(@on _one: string): void {}
      }
      return OnParameter;
    }).toThrow('OnParameter.answer  policies.authorization  stands on a parameter');
    expect(() => {
      class OnConstructor {
        constructor(@on readonly one: string) {}
      }
      return OnConstructor;
    }).toThrow('OnConstructor  policies.authorization  stands on a parameter');
    expect(() => {
      class OnStatic {
        @decoratorOf('mask')
        static answer(): void {}
      }
      return OnStatic;
    }).toThrow('OnStatic.answer  policies.mask  stands on a static member');
  });
});

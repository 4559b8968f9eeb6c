import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, type DynamicModule, type Type } from '@nestjs/common';
import {
  Args,
  ArgsType,
  Field,
  InputType,
  InterfaceType,
  Mutation,
  ObjectType,
  PickType,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { policyRows } from '../../../../test/support/policy-rows.ts';
import type { ConfigError } from '../../../config/config-fault.ts';
import { AuthorizationStageFactory } from '../../../policies/authorization/authorization.stage.ts';
import { RateLimitStageFactory } from '../../../policies/rate-limit/rate-limit.stage.ts';
import { MemoryTokenBucket } from '../../../policies/rate-limit/token-bucket.memory.ts';
import type { Policy as AnyPolicy } from '../../../policies/policy.ts';
import { policyRegistry, type PolicyName } from '../../../policies/order.ts';
import { Snapshots } from '../../../snapshot/snapshots.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { Calls } from './calls.decorator.ts';
import { Mask } from './mask.decorator.ts';

type On = ClassDecorator & MethodDecorator & PropertyDecorator;

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

interface Placed {
  readonly providers?: readonly unknown[];
  readonly controllers?: readonly Type[];
  readonly module?: Type;
  /** Shows what is protected. */
  readonly query?: string;
}
type Place = (on: On, id: string) => Placed;

const text = () => String;
const optional = { nullable: true };
const secret = { secret: 'secret', secret_: 'secret', id: '1' };

/** A query for something of a type. */
function shown(type: Type, id: string): Placed {
  if (!type.name.endsWith(id)) Object.defineProperty(type, 'name', { value: type.name + id });
  @Resolver()
  class ShowResolver {
    @Query(() => type, { name: `show${id}`, nullable: true })
    show(): object {
      return secret;
    }
  }
  return { providers: [ShowResolver], query: `{ show${id} { secret } }` };
}

/** A type that implements an interface. */
function implemented(Interface: Type, id: string, type?: Type): Placed {
  @ObjectType(`Implements${id}`, { implements: () => [Interface] })
  class Implementing {
    @Field(text)
    id!: string;
  }
  return shown(type ?? Implementing, id);
}

/** Places of fields, at which the policies of fields hold. */
const FIELDS: Readonly<Record<string, Place>> = {
  'a property of an object type'(on, id) {
    @ObjectType(`P${id}`)
    class Shown {
      @on
      @Field(text, optional)
      secret!: string;
    }
    return shown(Shown, id);
  },
  'a property with another name than its field'(on, id) {
    @ObjectType(`N${id}`)
    class Shown {
      @on
      @Field(text, { ...optional, name: 'secret' })
      secret_!: string;
    }
    return { ...shown(Shown, id), query: `{ show${id} { secret } }` };
  },
  'an accessor of an object type'(on, id) {
    @ObjectType(`G${id}`)
    class Shown {
      @on
      @Field(text, optional)
      get secret(): string {
        return 'secret';
      }
    }
    return shown(Shown, id);
  },
  'a property of a base class'(on, id) {
    @ObjectType(`B${id}`, { isAbstract: true })
    class Base {
      @on
      @Field(text, optional)
      secret!: string;
    }
    @ObjectType(`D${id}`)
    class Shown extends Base {}
    return shown(Shown, id);
  },
  'a property of a base class, repeated'(on, id) {
    class Base {
      @on
      secret!: string;
    }
    @ObjectType(`R${id}`)
    class Shown extends Base {
      @Field(text, optional)
      declare secret: string;
    }
    return shown(Shown, id);
  },
  'a property of a mixin'(on, id) {
    const mixin = (): Type => {
      @ObjectType({ isAbstract: true })
      class Mixed {
        @on
        @Field(text, optional)
        secret!: string;
      }
      return Mixed;
    };
    @ObjectType(`M${id}`)
    class Shown extends mixin() {}
    return shown(Shown, id);
  },
  'a property that PickType takes over, repeated'(on, id) {
    @ObjectType(`Whole${id}`)
    class Whole {
      @on
      @Field(text, optional)
      secret!: string;
    }
    @ObjectType(`Picked${id}`)
    class Shown extends PickType(Whole, ['secret']) {
      @Field(text, optional)
      declare secret: string;
    }
    return shown(Shown, id);
  },
  'a property of an interface'(on, id) {
    @InterfaceType(`I${id}`)
    abstract class Interface {
      @on
      @Field(text, optional)
      secret!: string;
    }
    return implemented(Interface as Type, id);
  },
  'a property of an interface that the class repeats'(on, id) {
    @InterfaceType(`J${id}`)
    abstract class Interface {
      @on
      @Field(text, optional)
      secret!: string;
    }
    @ObjectType(`K${id}`, { implements: () => [Interface] })
    class Shown {
      @Field(text, optional)
      secret!: string;
    }
    return implemented(Interface as Type, id, Shown);
  },
  'a field resolver of an interface'(on, id) {
    @InterfaceType(`L${id}`)
    abstract class Interface {
      @Field(text, optional)
      secret!: string;
    }
    @Resolver(() => Interface)
    class InterfaceResolver {
      @on
      @Calls()
      @ResolveField(text, optional)
      secret(): string {
        return 'secret';
      }
    }
    const { providers = [], query = '' } = implemented(Interface as Type, id);
    return { providers: [...providers, InterfaceResolver], query };
  },
  'a field resolver of a declared field'(on, id) {
    @ObjectType(`F${id}`)
    class Shown {
      @Field(text, optional)
      secret!: string;
    }
    @Resolver(() => Shown)
    class FieldResolver {
      @on
      @Calls()
      @ResolveField(text, optional)
      secret(): string {
        return 'secret';
      }
    }
    const { providers = [], query = '' } = shown(Shown, id);
    return { providers: [...providers, FieldResolver], query };
  },
};

/** Places that stand for all fields of a type. */
const TYPES: Readonly<Record<string, Place>> = {
  'an object type'(on, id) {
    @on
    @ObjectType(`T${id}`)
    class Shown {
      @Field(text, optional)
      secret!: string;
    }
    return shown(Shown, id);
  },
  'the base class of an object type'(on, id) {
    @on
    class Base {}
    @ObjectType(`U${id}`)
    class Shown extends Base {
      @Field(text, optional)
      secret!: string;
    }
    return shown(Shown, id);
  },
  'an interface'(on, id) {
    @on
    @InterfaceType(`V${id}`)
    abstract class Interface {
      @Field(text, optional)
      secret!: string;
    }
    return implemented(Interface as Type, id);
  },
};

/** Places at the root. */
const ROOTS: Readonly<Record<string, Place>> = {
  'a query'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      @Query(text, { name: `root${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `{ root${id} }` };
  },
  'a mutation'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      @Mutation(text, { name: `change${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `mutation { change${id} }` };
  },
  'a subscription'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      @Subscription(text, { name: `event${id}`, nullable: true })
      async *root(): AsyncGenerator<object> {
        yield { [`event${id}`]: 'secret' };
      }
    }
    return { providers: [RootResolver], query: `subscription { event${id} }` };
  },
  'a query that is overridden'(on, id) {
    class Base {
      @on
      root(): string {
        return '';
      }
    }
    @Resolver()
    class RootResolver extends Base {
      @Query(text, { name: `over${id}`, nullable: true })
      override root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `{ over${id} }` };
  },
  'a query of a resolver that a factory makes'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      @Query(text, { name: `made${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    const made = { provide: `made${id}`, useFactory: () => new RootResolver() };
    return { providers: [made], query: `{ made${id} }` };
  },
};

/** A class whose policies hold for all that it resolves. */
const RESOLVERS: Readonly<Record<string, Place>> = {
  'a resolver class'(on, id) {
    @on
    @Resolver()
    class RootResolver {
      @Query(text, { name: `class${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `{ class${id} }` };
  },
  'the base class of a resolver class'(on, id) {
    @on
    class Base {}
    @Resolver()
    class RootResolver extends Base {
      @Query(text, { name: `sub${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `{ sub${id} }` };
  },
};

const HANDLERS: Readonly<Record<string, Place>> = {
  'a controller class'(on, id) {
    @on
    @Controller(`c${id}`)
    class PlacedController {
      @Get()
      answer(): string {
        return 'secret';
      }
    }
    return { controllers: [PlacedController] };
  },
  'a handler'(on, id) {
    @Controller(`h${id}`)
    class PlacedController {
      @on
      @Get()
      answer(): string {
        return 'secret';
      }
    }
    return { controllers: [PlacedController] };
  },
  'a handler that is overridden'(on, id) {
    class Base {
      @on
      answer(): string {
        return '';
      }
    }
    @Controller(`o${id}`)
    class PlacedController extends Base {
      @Get()
      override answer(): string {
        return 'secret';
      }
    }
    return { controllers: [PlacedController] };
  },
};

/** Places at which nothing looks for policies. */
const USELESS: Readonly<Record<string, Place>> = {
  'an input'(on, id) {
    @on
    @InputType(`In${id}`)
    class Input {
      @Field(text)
      name!: string;
    }
    return taking(Input, id);
  },
  'a property of an input'(on, id) {
    @InputType(`Pr${id}`)
    class Input {
      @on
      @Field(text)
      name!: string;
    }
    return taking(Input, id);
  },
  arguments(on, id) {
    @on
    @ArgsType()
    class Arguments {
      @Field(text, optional)
      name!: string;
    }
    return withArguments(Arguments, id);
  },
  'a property of arguments'(on, id) {
    @ArgsType()
    class Arguments {
      @on
      @Field(text, optional)
      name!: string;
    }
    return withArguments(Arguments, id);
  },
  'a property that is no field'(on, id) {
    @ObjectType(`X${id}`)
    class Shown {
      @Field(text, optional)
      secret!: string;
      @on
      hidden!: string;
    }
    return shown(Shown, id);
  },
  'a method of a resolver that resolves nothing'(on, id) {
    @Resolver()
    class RootResolver {
      @Query(text, { name: `none${id}` })
      root(): string {
        return this.other();
      }
      @on
      other(): string {
        return '';
      }
    }
    return { providers: [RootResolver] };
  },
  'a property of a resolver'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      readonly state = 1;
      @Query(text, { name: `prop${id}` })
      root(): string {
        return '';
      }
    }
    return { providers: [RootResolver] };
  },
  'a service'(on) {
    @on
    @Injectable()
    class Service {}
    return { providers: [Service] };
  },
  'a method of a service that a factory makes'(on, id) {
    class Service {
      @on
      work(): void {}
    }
    return { providers: [{ provide: `service${id}`, useFactory: () => new Service() }] };
  },
  'a module'(on) {
    @on
    @Module({})
    class PlacedModule {}
    return { module: PlacedModule };
  },
  'a method of a controller that is no handler'(on, id) {
    @Controller(`n${id}`)
    class PlacedController {
      @on
      other(): void {}
    }
    return { controllers: [PlacedController] };
  },
  'a property of a controller'(on, id) {
    @Controller(`p${id}`)
    class PlacedController {
      @on
      readonly state = 1;
      @Get()
      answer(): string {
        return '';
      }
    }
    return { controllers: [PlacedController] };
  },
};

function taking(input: Type, id: string): Placed {
  @Resolver()
  class TakeResolver {
    @Query(text, { name: `take${id}` })
    take(@Args('given', { type: () => input, nullable: true }) _given: object): string {
      return '';
    }
  }
  return { providers: [TakeResolver] };
}

function withArguments(type: Type, id: string): Placed {
  @Resolver()
  class ArgumentsResolver {
    @Query(text, { name: `args${id}` })
    take(@Args({ type: () => type }) _given: object): string {
      return '';
    }
  }
  return { providers: [ArgumentsResolver] };
}

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

/** A policy at a place, whose classes have names that no other place has. */
function placedOnce(policy: Policy, place: Place): Placed {
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
  for (const one of placed.providers ?? []) if (typeof one === 'function') named(one);
  return placed;
}

/** A gateway with a policy at some places, and the queries that show what is there, by the names of the places. */
async function start(policy: Policy, places: readonly [name: string, place: Place][]) {
  const placed = places.map(([name, place]) => [name, placedOnce(policy, place)] as const);
  const modules = placed.map(([, { module = class Placed {}, providers = [], controllers = [] }]) => {
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
  return {
    app,
    queries: placed.flatMap(([name, { query }]) => (query === undefined ? [] : [[name, query]])),
  };
}

async function shownTo(url: string, query: string, headers: Record<string, string> = {}): Promise<string> {
  const accept = query.startsWith('subscription') ? { accept: 'text/event-stream' } : {};
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...accept, ...headers } };
  return (await fetch(`${url}/graphql`, { ...init, body: JSON.stringify({ query }) })).text();
}

/** Which policies hold at which places. */
const HOLD: readonly (readonly [Readonly<Record<string, Place>>, readonly string[]])[] = [
  [FIELDS, ['authentication', 'authorization', 'cache', 'mask']],
  [TYPES, ['authentication', 'authorization', 'cache']],
  [ROOTS, ['authentication', 'authorization', 'cache', 'mask', 'rateLimit']],
  [RESOLVERS, ['authentication', 'authorization', 'cache', 'rateLimit']],
  [HANDLERS, NAMES.filter((name) => name !== 'mask')],
  [USELESS, []],
];
const placesOf = (policy: Policy, holds: boolean): [name: string, place: Place][] =>
  HOLD.flatMap(([places, hold]) => {
    // These handlers are of GET, which has nothing that a key could be for.
    if (policy === 'idempotency' && places === HANDLERS) return [];
    return hold.includes(policy) === holds ? Object.entries(places) : [];
  });

describe('each policy at each place', () => {
  it.each(NAMES)('%s is refused wherever nobody enforces it, everything at once', async (policy) => {
    const places = placesOf(policy, false);
    const error = await start(policy, places).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const { faults } = error as ConfigError;
    expect(faults.map(({ file, message }) => `${file} ${message}`)).toHaveLength(places.length);
    expect(String(error)).toContain(policy === 'rateLimit' ? '@RateLimit belongs to' : `"${policy}"`);
  });

  it.each(NAMES)('%s starts wherever it holds, and handlers have it', async (policy) => {
    const { app } = await start(policy, placesOf(policy, true));
    const routes = app.app.get(Snapshots).current.table.routes.filter(({ id }) => id.startsWith('placed'));
    expect(routes).toHaveLength(['mask', 'idempotency'].includes(policy) ? 0 : Object.keys(HANDLERS).length);
    for (const route of routes) expect(route.policies).toHaveProperty(policy);
  });

  it.each(['authentication', 'authorization', 'mask'] as const)(
    '%s keeps guests from reading wherever it holds, cold and compiled, and nobody else',
    async (policy) => {
      const { app, queries } = await start(policy, placesOf(policy, true));
      for (const [name, query = ''] of queries) {
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

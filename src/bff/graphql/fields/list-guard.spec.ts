import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import {
  Args,
  Field,
  ID,
  Int,
  InterfaceType,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../../../../examples/services/start.ts';
import type { Call } from '../../../calls/call.ts';
import { Caller } from '../../../calls/caller.ts';
import { CallsModule } from '../../../calls/calls.module.ts';
import { httpUpstream } from '../../../calls/http-upstream.ts';
import { getUser } from '../../../routes/services/users.calls.ts';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { View } from '../../view.ts';
import { Views } from '../../views.ts';
import { ViewsModule } from '../../views.module.ts';
import type { ViewRun } from '../../view-run.ts';
import { Calls, OncePerElement } from './calls.decorator.ts';
import { postTo } from '../graphql-client.fixture.ts';
import { ViewResolver } from './view-resolver.ts';
import { z } from 'zod';

const decode = z.object({ id: z.string(), name: z.string() });
/** The same as `getUser`, but for what merges its runs. */
const alone = httpUpstream('users').get<{ id: string }, { id: string; name: string }>(
  'users.alone',
  '/users/{id}',
  { decode },
);
const bounded = httpUpstream('users').get<{ id: string }, { id: string; name: string }>(
  'users.bounded',
  '/users/{id}',
  { decode, each: { concurrency: 2 } },
);

@ObjectType('GuardPerson')
class Person {
  @Field(() => ID)
  id!: string;

  @Field()
  name!: string;
}

let services: SampleServices;
beforeAll(async () => {
  services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
});
afterAll(() => services.stop());

let bff: BffApp | undefined;
afterEach(async () => {
  await bff?.stop();
  bff = undefined;
});

async function start(resolver: Type, production = false, ...more: Type[]): Promise<BffApp> {
  const upstreams = JSON.stringify({ users: { targets: [services['users-1'].url], circuitBreaker: 'off' } });
  const module = {
    module: class GuardModule {},
    imports: [CallsModule, ViewsModule],
    providers: [resolver, ...more],
  };
  bff = await startBff({ modules: [module], upstreams, graphql: { production } });
  return bff;
}

const ids = (count: number): { id: string }[] =>
  Array.from({ length: count }, (_, index) => ({ id: String((index % 4) + 1) }));

/** A list of items with a field `owner` that makes a call, decorated in some way. */
function lists(make: Call<{ id: string }, unknown>, ...decorators: MethodDecorator[]): Type {
  @ObjectType('GuardItem')
  class Item {
    @Field(() => ID)
    id!: string;
  }

  @Resolver(() => Item)
  class ItemResolver {
    constructor(readonly caller: Caller) {}

    @Query(() => [Item])
    items(@Args('first', { type: () => Int, defaultValue: 3 }) first: number): object[] {
      return ids(first);
    }

    @ResolveField(() => Person, { nullable: true })
    owner(source: { id: string }, _args: unknown, { exchange }: { exchange: Exchange }): Promise<unknown> {
      return this.caller.call(make, { id: source.id }, { exchange, timeoutMs: Infinity });
    }
  }
  Reflect.defineMetadata('design:paramtypes', [Caller], ItemResolver);
  const descriptor = Object.getOwnPropertyDescriptor(ItemResolver.prototype, 'owner') as PropertyDescriptor;
  for (const decorate of decorators) decorate(ItemResolver.prototype, 'owner', descriptor);
  return ItemResolver;
}

const WHERE = 'GuardItem.owner (ItemResolver.owner) runs once per element of the list Query.items';

describe('a field of a list', () => {
  it('keeps the gateway from starting when it does not say what it calls', async () => {
    await expect(start(lists(getUser))).rejects.toThrow(`${WHERE}: say which calls it makes with @Calls(…)`);
  });

  it('keeps the gateway from starting when its call is not merged', async () => {
    await expect(start(lists(alone, Calls(getUser, alone)))).rejects.toThrow(
      `${WHERE}: it would make the call users.alone each time; declare \`batch\` on the call`,
    );
  });

  it.each([
    ['that is merged', getUser],
    ['that is bounded', bounded],
  ])('may make a call %s', async (_, make) => {
    const { url } = await start(lists(make, Calls(make)));
    const { body } = await postTo(url, { query: '{ items { owner { name } } }' });
    expect(body.data?.['items']).toMatchObject([{ owner: { name: expect.any(String) } }, {}, {}]);
  });

  it('may make any call as often as it is allowed, and not more often', async () => {
    const because = 'the service has no operation for many';
    const { url } = await start(lists(alone, Calls(alone), OncePerElement({ atMost: 3, because })));
    for (let run = 0; run < 5; run += 1) {
      const { body } = await postTo(url, { query: '{ items(first: 4) { owner { id } } }' });
      expect(body).toMatchObject({
        data: {
          items: [{ owner: { id: '1' } }, { owner: { id: '2' } }, { owner: { id: '3' } }, { owner: null }],
        },
        errors: [
          {
            message: 'GuardItem.owner: at most 3 in one operation.',
            path: ['items', 3, 'owner'],
            extensions: { code: 'request-invalid' },
          },
        ],
      });
    }
  });

  it('is held to what it declares', async () => {
    const { url, errors } = await start(lists(alone, Calls(getUser)));
    services['users-1'].requests.reset();
    const { body } = await postTo(url, { query: '{ items { owner { id } } }' });
    expect(body.errors).toHaveLength(3);
    expect(errors.join()).toContain(
      `${WHERE}: it makes the call users.alone, which its @Calls does not name`,
    );
    expect(services['users-1'].requests.total).toBe(0);
  });

  it('is not watched in production, where that would cost every run', async () => {
    const { url } = await start(lists(alone, Calls(getUser)), true);
    expect((await postTo(url, { query: '{ items { owner { id } } }' })).body.errors).toBeUndefined();
  });
});

describe('what counts as a list', () => {
  @InterfaceType('GuardNamed', { resolveType: () => 'GuardDog' })
  abstract class Named {
    @Field()
    name!: string;
  }
  @ObjectType('GuardCollar')
  class Collar {
    @Field()
    color!: string;
  }
  @ObjectType('GuardDog', { implements: () => [Named] })
  class Dog extends Named {
    @Field(() => Collar)
    collar!: Collar;
  }
  @ObjectType('GuardKennel')
  class Kennel {
    @Field()
    name!: string;
  }

  it('is reached through interfaces and through what its elements contain', async () => {
    @Resolver(() => Collar)
    class CollarResolver {
      @Query(() => [Named])
      named(): object[] {
        return [];
      }

      @Query(() => Dog, { nullable: true })
      dog(): null {
        return null;
      }

      @ResolveField(() => String)
      tag(): string {
        return 'tag';
      }
    }
    await expect(start(CollarResolver)).rejects.toThrow(
      'GuardCollar.tag (CollarResolver.tag) runs once per element of the list Query.named',
    );
  });

  it('is nothing that appears once: its fields need not say anything', async () => {
    @Resolver(() => Kennel)
    class KennelResolver {
      @Query(() => Kennel)
      kennel(): object {
        return { name: 'k' };
      }

      @ResolveField(() => String)
      tag(): string {
        return 'tag';
      }
    }
    const { url } = await start(KennelResolver);
    expect((await postTo(url, { query: '{ kennel { tag } }' })).body.data).toEqual({
      kennel: { tag: 'tag' },
    });
  });
});

describe('a list of views', () => {
  @ObjectType('GuardCard')
  class Card {
    @Field(() => Person, { nullable: true })
    person!: Person | null;
  }

  function cards(view: View<{ id: string }, { person: { id: string; name: string } }, 'person'>): Type {
    @ViewResolver(view, () => Card)
    class CardResolver {
      constructor(readonly views: Views) {}

      @Query(() => [Card])
      cards(@CurrentExchange() exchange: Exchange): ViewRun[] {
        return ids(2).map((input) => this.views.start(view, input, exchange));
      }
    }
    return CardResolver;
  }

  it('is checked by the calls of its sections', async () => {
    const unmerged = View.define('Unmerged').input<{ id: string }>();
    await expect(start(cards(unmerged.section('person', alone, ({ input }) => input)))).rejects.toThrow(
      'GuardCard.person (CardResolver.section_person) runs once per element of the list Query.cards: it would ' +
        'make the call users.alone each time',
    );
    const merged = View.define('Merged').input<{ id: string }>();
    const { url } = await start(cards(merged.section('person', getUser, ({ input }) => input)));
    services['users-1'].requests.reset();
    const { body } = await postTo(url, { query: '{ cards { person { id } } }' });
    expect(body.data).toEqual({ cards: [{ person: { id: '1' } }, { person: { id: '2' } }] });
    expect(services['users-1'].requests.total).toBe(1);
  });

  it('is checked when it runs where a section is a function', async () => {
    const open = View.define('Open')
      .input<{ id: string }>()
      .section('person', ({ input, call }) => call(alone, input));
    const { url, errors } = await start(cards(open), true);
    services['users-1'].requests.reset();
    const { body } = await postTo(url, { query: '{ cards { person { id } } }' });
    expect(body.data).toEqual({ cards: [{ person: null }, { person: null }] });
    expect(errors.join()).toContain('Query.cards: Open: the call users.alone would be made once per element');
    expect(services['users-1'].requests.total).toBe(0);
  });
});

describe(OncePerElement.name, () => {
  it.each([[{ atMost: 0, because: 'x' }], [{ atMost: 1.5, because: 'x' }], [{ atMost: 3, because: ' ' }]])(
    'needs a number and a reason: %j',
    (options) => {
      class Fields {
        answer(): void {}
      }
      const method = Object.getOwnPropertyDescriptor(Fields.prototype, 'answer') as PropertyDescriptor;
      expect(() => OncePerElement(options)(Fields.prototype, 'answer', method)).toThrow(
        /^Fields\.answer {2}oncePerElement\.\w+ {2}expected/,
      );
    },
  );
});

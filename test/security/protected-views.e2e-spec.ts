import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Res, type StreamableFile } from '@nestjs/common';
import {
  createUnionType,
  Field,
  InterfaceType,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import type { FastifyReply } from 'fastify';
import { startBff, type BffApp, type BffAppOptions } from '../../src/bff/bff-app.fixture.ts';
import { Calls } from '../../src/bff/graphql/fields/calls.decorator.ts';
import { postTo } from '../../src/bff/graphql/graphql-client.fixture.ts';
import { Mask } from '../../src/bff/graphql/fields/mask.decorator.ts';
import type { OperationContext } from '../../src/bff/graphql/execution/operation-context.ts';
import { ViewResolver } from '../../src/bff/graphql/fields/view-resolver.ts';
import type { ViewRun } from '../../src/bff/view-run.ts';
import { kindByHeader } from '../../src/bff/view-variants.ts';
import { View } from '../../src/bff/view.ts';
import { Views } from '../../src/bff/views.ts';
import { ViewsModule } from '../../src/bff/views.module.ts';
import { AnswersView } from '../../src/contracts/answers.decorator.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import { Problem } from '../../src/problems/problem.ts';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { Roles } from '../../src/policies/authorization/authorization.policy.ts';
import { AuthorizationStageFactory } from '../../src/policies/authorization/authorization.stage.ts';

const optional = { nullable: true };
const unless = { anyRole: ['user'] };
const text = () => String;

@InterfaceType('Party', { resolveType: () => 'Person' })
abstract class Party {
  @Mask({ unless, with: '***' })
  @Field(text)
  phone!: string;
}

@ObjectType('Person', { implements: () => [Party] })
class Person {
  @Field(text)
  name!: string;
  @Mask({ unless })
  @Field(text, { ...optional, name: 'account' })
  iban!: string | null;
  @Roles('user')
  @Field(text, optional)
  salary!: string | null;
  @Field(text)
  phone!: string;
  @Field(() => Person, optional)
  boss!: Person | null;
}

@ObjectType('Company', { implements: () => [Party] })
class Company {
  @Field(text)
  phone!: string;
}

const Hit = createUnionType({
  name: 'Hit',
  types: () => [Person, Company] as const,
  resolveType: () => 'Person',
});

@Roles('user')
@ObjectType('Vault')
class Vault {
  @Field(text)
  gold!: string;
}

@ObjectType('Card')
class Card {
  @Mask({ unless, with: '****' })
  @Field(text)
  number!: string;
}

const ada = () => ({
  name: 'Ada',
  iban: 'SECRET-iban',
  salary: 'SECRET-salary',
  phone: 'SECRET-phone',
  boss: { name: 'Bob', iban: 'SECRET-iban', salary: 'SECRET-salary', phone: 'SECRET-phone', boss: null },
});
const CardView = View.define('Card')
  .input<object>()
  .required('number', () => 'SECRET-card');
const Base = View.define('Dossier')
  .input<object>()
  .section('owner', ada)
  .section('staff', () => [ada(), null, ada()])
  .section('party', () => ada() as Party)
  .section('hits', () => [ada()] as (typeof Hit)[])
  .section('card', CardView, () => ({}))
  .section('vault', () => ({ gold: 'SECRET-gold', note: 'SECRET-note' }) as Vault)
  .section('empty', (): Person => ({
    name: 'Ada',
    iban: null,
    salary: null,
    phone: 'SECRET-phone',
    boss: null,
  }))
  .section('noPin', () => null)
  .section('noKey', () => null)
  .section('lostPin', (): string => {
    throw new Problem('upstream-timeout');
  })
  .section('pin', () => 'SECRET-pin')
  .section('key', () => 'SECRET-key')
  // Other sections work with the whole values.
  .section('bill', async ({ get }) => `${(await get('owner'))?.iban?.length}`);

@ObjectType('Dossier')
class Dossier {
  @Field(() => Person, optional)
  owner!: Person | null;
  @Field(() => [Person], { nullable: 'itemsAndList' })
  staff!: (Person | null)[] | null;
  @Field(() => Party, optional)
  party!: Party | null;
  @Field(() => [Hit], optional)
  hits!: (typeof Hit)[] | null;
  @Field(() => Card, optional)
  card!: Card | null;
  @Field(() => Vault, optional)
  vault!: Vault | null;
  @Field(() => Person, optional)
  empty!: Person | null;
  @Mask({ unless, with: '0000' })
  @Field(text, optional)
  noPin!: string | null;
  @Roles('user')
  @Field(text, optional)
  noKey!: string | null;
  @Mask({ unless, with: '0000' })
  @Field(text, optional)
  lostPin!: string | null;
  @Mask({ unless, with: '0000' })
  @Field(text, optional)
  pin!: string | null;
  @Roles('user')
  @Field(text, optional)
  key!: string | null;
  @Field(text, optional)
  bill!: string | null;
}

@ViewResolver(Base, () => Dossier)
class DossierResolver {
  constructor(private readonly views: Views) {}
  @Query(() => Dossier, optional)
  dossier(_parent: unknown, _args: unknown, { exchange }: OperationContext): ViewRun {
    return this.views.start(Base, {}, exchange);
  }
}

@ViewResolver(CardView, () => Card)
class CardResolver {}

/** Data that is not what the view has, so that there is something to tell the two apart. */
@Resolver(() => Person)
class PersonResolver {
  @Calls()
  @ResolveField(text)
  name(): string {
    return 'Ada';
  }
}

// Not the view that the resolver knows: extended, and in a shape for a kind of client.
const Served = Base.section('extra', () => 'extra').variants(kindByHeader('x-kind'), {
  small: (view) =>
    view
      .without(
        'staff',
        'party',
        'hits',
        'card',
        'vault',
        'pin',
        'key',
        'bill',
        'extra',
        'empty',
        'noPin',
        'noKey',
        'lostPin',
      )
      .pick('owner', (owner) => ({ account: owner?.iban, pay: owner?.salary })),
});
const Outer = View.define('Outer')
  .input<object>()
  .section('inner', CardView, () => ({}));
const Required = View.define('Required')
  .input<object>()
  .required('secret', () => 'SECRET-required');

@ObjectType('Required')
class RequiredType {
  @Roles('user')
  @Field(text, optional)
  secret!: string;
}

@ViewResolver(Required, () => RequiredType)
class RequiredResolver {
  @Query(() => RequiredType, optional)
  required(): null {
    return null;
  }
}

@Controller()
@Public()
class DossierController {
  constructor(private readonly views: Views) {}
  @Get('dossier')
  @AnswersView(Served, {}, { streamed: true })
  show(
    @CurrentExchange() exchange: Exchange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | StreamableFile | undefined> {
    return this.views.answer(Served, {}, exchange, reply);
  }
  @Get('outer')
  outer(@CurrentExchange() exchange: Exchange): Promise<object> {
    return this.views.serve(Outer, {}, exchange);
  }
  @Get('required')
  required(@CurrentExchange() exchange: Exchange): Promise<object> {
    return this.views.serve(Required, {}, exchange);
  }
}

const modules: BffAppOptions['modules'] = [
  {
    module: class DossierModule {},
    imports: [ViewsModule],
    controllers: [DossierController],
    providers: [DossierResolver, CardResolver, PersonResolver, RequiredResolver],
  },
];
const protectedBy: BffAppOptions = {
  modules,
  factories: [new AuthorizationStageFactory()],
  door: { authentication: { schemes: ['jwt'] } },
};
const user = { 'x-test-user': 'a' };

let bff: BffApp;
let whole: BffApp;
beforeAll(async () => {
  bff = await startBff(protectedBy);
  whole = await startBff({ ...protectedBy, graphql: { denied: 'operation' } });
});
afterAll(() => Promise.all([bff.stop(), whole.stop()]));

const get = (path: string, headers: Record<string, string> = {}, url = bff.url) =>
  fetch(`${url}/${path}`, { headers });

describe('what the types of a view protect, read over REST by a guest', () => {
  const hidden = { name: 'Ada', iban: null, salary: null, phone: '***' };
  const person = { ...hidden, boss: { ...hidden, name: 'Bob', boss: null } };

  it('is masked in objects, lists, interfaces, unions, nested views and sections, as over GraphQL', async () => {
    const body = (await (await get('dossier')).json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      owner: person,
      staff: [person, null, person],
      party: person,
      hits: [person],
      card: { number: '****' },
      vault: null,
      pin: '0000',
      key: null,
      bill: '11',
      extra: 'extra',
    });
    const query = `{ dossier {
      owner { name account salary phone boss { name account salary phone } } staff { account phone } card { number } pin key
      vault { gold } } }`;
    const graphql = await postTo(bff.url, { query });
    expect(JSON.stringify(graphql.body)).not.toContain('SECRET');
    expect(graphql.body.data).toMatchObject({
      dossier: { owner: { account: null, phone: '***' }, card: { number: '****' }, pin: '0000', key: null },
    });
  });

  it('does not tell whether there is anything', async () => {
    const body = (await (await get('dossier?fields=empty,noPin,noKey')).json()) as object;
    const denied = (section: string) => ({ section, code: 'permission-denied', via: 'null' });
    expect(body).toEqual({
      empty: { ...hidden, boss: null },
      noPin: '0000',
      noKey: null,
      degraded: [denied('empty'), denied('noKey')],
    });
    const { body: graphql } = await postTo(bff.url, { query: '{ dossier { noPin noKey } }' });
    expect(graphql.data).toEqual({ dossier: { noPin: '0000', noKey: null } });
    expect(graphql.errors).toHaveLength(1);
    expect(await (await get('dossier?fields=empty,noPin,noKey', user)).json()).toMatchObject({
      noPin: null,
      noKey: null,
    });
  });

  it('tells of what has failed', async () => {
    expect(await (await get('dossier?fields=lostPin')).json()).toEqual({
      lostPin: null,
      degraded: [{ section: 'lostPin', code: 'upstream-timeout', via: 'null' }],
    });
  });

  it('is listed where it was left out, and not where it was masked', async () => {
    const { degraded } = (await (
      await get('dossier?fields=owner,staff,party,hits,card,vault,pin,key,bill')
    ).json()) as { degraded: { section: string }[] };
    expect(degraded.map(({ section }) => section)).toEqual([
      'owner',
      'staff',
      'party',
      'hits',
      'vault',
      'key',
    ]);
    expect(degraded[0]).toEqual({ section: 'owner', code: 'permission-denied', via: 'null' });
    expect(await (await get('dossier?fields=pin,card')).json()).toEqual({
      card: { number: '****' },
      pin: '0000',
    });
  });

  it.each(['application/x-ndjson', 'text/event-stream'])('stays hidden in a stream of %s', async (accept) => {
    const guest = await (await get('dossier', { accept })).text();
    expect(guest).not.toContain('SECRET');
    expect(guest).toContain('****');
    expect(guest).toContain('permission-denied');
    expect(await (await get('dossier', { accept, ...user })).text()).toContain('SECRET-salary');
  });

  it('stays hidden where a kind of client is shown a part under other names', async () => {
    const small = { 'x-kind': 'small' };
    expect(await (await get('dossier', small)).json()).toMatchObject({ owner: { account: null, pay: null } });
    expect(await (await get('dossier', { ...small, ...user })).json()).toEqual({
      owner: { account: 'SECRET-iban', pay: 'SECRET-salary' },
    });
  });

  it('stays hidden in a view that GraphQL knows only a part of', async () => {
    expect(await (await get('outer')).json()).toEqual({ inner: { number: '****' } });
  });

  it('is 403 where the view is worth nothing without it', async () => {
    const refused = await get('required');
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'permission-denied', section: 'secret' }),
    ]);
    expect(await (await get('required', user)).json()).toEqual({ secret: 'SECRET-required' });
  });

  it('costs the whole answer where the door says so', async () => {
    expect((await get('dossier', {}, whole.url)).status).toBe(403);
    expect((await get('dossier?fields=key', {}, whole.url)).status).toBe(403);
    expect(await (await get('dossier?fields=pin,extra', {}, whole.url)).json()).toEqual({
      extra: 'extra',
      pin: '0000',
    });
  });

  it('is shown to who may see it, and the values of the sources stay as they are', async () => {
    for (let run = 0; run < 2; run += 1) {
      await get('dossier');
      const body = (await (await get('dossier?fields=owner,vault,key', user)).json()) as object;
      expect(body).toMatchObject({
        owner: ada(),
        vault: { gold: 'SECRET-gold', note: 'SECRET-note' },
        key: 'SECRET-key',
      });
      expect(body).not.toHaveProperty('degraded');
    }
  });
});

describe('a view whose types cannot be told apart over REST', () => {
  @ObjectType('OpenThing')
  class OpenThing {
    @Field(text, optional)
    code!: string;
  }
  @ObjectType('ClosedThing')
  class ClosedThing {
    @Roles('user')
    @Field(text, optional)
    code!: string;
  }
  const Thing = createUnionType({
    name: 'Thing',
    types: () => [OpenThing, ClosedThing] as const,
    resolveType: () => 'OpenThing',
  });
  const Things = View.define('Things')
    .input<object>()
    .section('thing', () => ({ code: 'SECRET' }));
  @ObjectType('Things')
  class ThingsType {
    @Field(() => Thing, optional)
    thing!: OpenThing | null;
  }
  @ViewResolver(Things, () => ThingsType)
  class ThingsResolver {
    @Query(() => ThingsType, optional)
    things(): null {
      return null;
    }
  }
  @Controller()
  @Public()
  class DeclaredController {
    @Get('things')
    @AnswersView(Things)
    things(): object {
      return {};
    }
  }
  @Controller()
  @Public()
  class SilentController {
    constructor(private readonly views: Views) {}
    @Get('things')
    things(@CurrentExchange() exchange: Exchange): Promise<object> {
      return this.views.serve(Things, {}, exchange);
    }
  }
  const startWith = (controller: new (...args: never[]) => object): Promise<BffApp> =>
    startBff({
      ...protectedBy,
      modules: [
        {
          module: class ThingsModule {},
          imports: [ViewsModule],
          controllers: [controller],
          providers: [ThingsResolver],
        },
      ],
    });

  it('keeps the gateway from starting, and the message names both faces', async () => {
    await expect(startWith(DeclaredController)).rejects.toThrow(
      'DeclaredController.things: the view Things: thing.code is OpenThing.code or ClosedThing.code, which are not ' +
        'protected in the same way: GraphQL goes by the type, but REST serves the view too and cannot know it',
    );
  });

  it('shows nothing at all where the handler does not say that it serves the view', async () => {
    const app = await startWith(SilentController);
    const refused = await fetch(`${app.url}/things`);
    expect([refused.status, await refused.text()]).toEqual([500, expect.not.stringContaining('SECRET')]);
    await app.stop();
    // The log says why.
    expect(String(app.exchanges[0]?.problem?.cause)).toContain(
      'the view Things: thing.code is OpenThing.code or ClosedThing.code',
    );
  });
});

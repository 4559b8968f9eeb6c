import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Res } from '@nestjs/common';
import {
  Args,
  Field,
  ID,
  Int,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import type { FastifyReply } from 'fastify';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { AnswersView } from '../../../contracts/answers.decorator.ts';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { Authentication } from '../../../policies/authentication/authentication.policy.ts';
import { When } from '../../../policies/authorization/authorization.policy.ts';
import { AuthorizationStageFactory } from '../../../policies/authorization/authorization.stage.ts';
import { policyRegistry } from '../../../policies/order.ts';
import type { StageFactory } from '../../../policies/stage-factory.ts';
import { startBff, testPrincipal, type BffApp } from '../../bff-app.fixture.ts';
import { View } from '../../view.ts';
import type { ViewRun } from '../../view-run.ts';
import { Views } from '../../views.ts';
import { ViewsModule } from '../../views.module.ts';
import { postTo } from '../graphql-client.fixture.ts';
import { Calls } from './calls.decorator.ts';
import { Mask } from './mask.decorator.ts';
import { ViewResolver } from './view-resolver.ts';

const optional = { nullable: true } as const;
const text = () => String;

/** Of each order by itself: whose it is. */
@ObjectType('FaceOrder')
class Order {
  @Field(() => ID)
  id!: string;

  // No field: conditions see it all the same, on all faces.
  owner?: string;

  @Mask({ unless: "parent.owner == principal.id || principal.id == 'support'", with: '***' })
  @Field()
  card!: string;

  @Mask({ unless: 'role:admin', with: 0 })
  @Field(() => Int)
  margin!: number;

  @Mask({ unless: 'role:user' })
  @Field(text, optional)
  city!: string | null;

  // Nothing of that name: it cannot be told.
  @Mask({ unless: 'parent.nobody == principal.id' })
  @Field(text, optional)
  note!: string | null;

  @When('parent.owner == principal.id')
  @Field(text, optional)
  address!: string | null;
}

@Resolver(() => Order)
class OrderResolver {
  // REST decides as for a query without arguments.
  @Mask({ unless: "args.word == 'x'", with: '?' })
  @Calls()
  @ResolveField(text)
  worded(@Args('word', { defaultValue: 'x' }) word: string): string {
    return word;
  }

  @Mask({ unless: "args.word == 'x'", with: '?' })
  @Calls()
  @ResolveField(text)
  asked(@Args('word') word: string): string {
    return word;
  }
}

/** All of an object, by the object. */
@When('parent.owner == principal.id')
@ObjectType('FaceDraft')
class Draft {
  @Field(text, optional)
  owner!: string | null;

  @Field(text, optional)
  title!: string | null;
}

@ObjectType('FaceInner')
class Inner {
  // The input of the view within, not that of the outer one.
  @Mask({ unless: 'parent.input.of == principal.id' })
  @Field(text, optional)
  secret!: string | null;

  @Field(() => [Order])
  orders!: readonly Order[];
}

@ObjectType('FacePage')
class PageType {
  @Field(() => Order)
  latest!: Order;

  @Field(() => [Order])
  orders!: readonly Order[];

  @Mask({ unless: 'parent.input.user == principal.id', with: 'hidden' })
  @Field(text)
  greeting!: string;

  @Field(() => Draft, optional)
  draft!: Draft | null;

  @Field(() => Inner)
  inner!: Inner;
}

const order = (id: string, owner: string) => ({
  id,
  owner,
  card: `card ${id}`,
  margin: 7,
  city: 'Graz',
  note: 'n',
  worded: 'x',
  asked: 'x',
  address: `at ${owner}`,
});
const InnerView = View.define('FaceInner')
  .input<{ of: string }>()
  .required('secret', ({ input }) => Promise.resolve(`of ${input.of}`))
  .required('orders', () => Promise.resolve([order('3', 'bob')]));
const Page = View.define('FacePage')
  .input<{ user: string }>()
  .required('latest', () => Promise.resolve(order('1', 'ada')))
  .required('orders', () => Promise.resolve([order('1', 'ada'), order('2', 'bob')]))
  .required('greeting', ({ input }) => Promise.resolve(`hello ${input.user}`))
  .section('draft', () => Promise.resolve({ owner: 'ada', title: 't' }))
  .required('inner', InnerView, () => ({ of: 'bob' }));

@ViewResolver(InnerView, () => Inner)
class InnerResolver {}

@ViewResolver(Page, () => PageType)
class PageResolver {
  constructor(private readonly views: Views) {}

  @Query(() => PageType, optional)
  facePage(@CurrentExchange() exchange: Exchange): ViewRun {
    return this.views.start(Page, { user: 'ada' }, exchange);
  }

  /** The page once, as an event. */
  @Subscription(() => PageType, optional)
  async *facePages(@CurrentExchange() exchange: Exchange): AsyncGenerator<object> {
    await Promise.resolve();
    yield { facePages: this.views.start(Page, { user: 'ada' }, exchange) };
  }
}

@Controller('face-page')
@Authentication({ schemes: ['jwt'] })
class PageController {
  constructor(private readonly views: Views) {}

  @Get()
  @AnswersView(Page, {})
  show(
    @CurrentExchange() exchange: Exchange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | undefined> {
    return this.views.answer(Page, { user: 'ada' }, exchange, reply);
  }
}

const who = (id: string) => ({ 'x-test-user': id, authorization: id });
const identify: StageFactory = {
  policy: policyRegistry.authentication,
  compile: () => ({
    enter(exchange: Exchange) {
      exchange.principal ??= testPrincipal(String(exchange.request.headers.authorization));
    },
  }),
};
const authorize: StageFactory = {
  policy: policyRegistry.authorization,
  compile: (input) =>
    new AuthorizationStageFactory().compile({
      ...input,
      policies: { ...input.policies, authentication: { schemes: ['jwt'] } },
    }),
};

let bff: BffApp;
beforeAll(async () => {
  const module = {
    module: class FacesModule {},
    imports: [ViewsModule],
    controllers: [PageController],
    providers: [PageResolver, InnerResolver, OrderResolver],
  };
  bff = await startBff({
    modules: [module],
    factories: [identify, authorize],
    door: { authentication: { schemes: ['jwt'] } },
  });
});
afterAll(() => bff.stop());

const ORDER = '{ id card margin city note worded asked(word: "") address }';
const QUERY = `{ facePage { latest ${ORDER} orders ${ORDER} greeting draft { owner title } inner { secret orders ${ORDER} } } }`;
const EVENTS = QUERY.replace('{ facePage', 'subscription { facePages');
type Shown = Record<string, unknown>;

async function records(accept: string, user: string): Promise<Shown> {
  const response = await fetch(`${bff.url}/face-page`, { headers: { ...who(user), accept } });
  expect(response.headers.get('content-type')).toContain(accept);
  const lines = (await response.text()).split('\n').map((line) => line.replace(/^data: ?/, ''));
  const parsed = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Shown);
  const sections = parsed.filter((one) => 'section' in one);
  return Object.fromEntries(sections.map(({ section, data }) => [section as string, data]));
}

/** What each face shows to somebody. */
const FACES: Readonly<Record<string, (user: string) => Promise<Shown>>> = {
  async REST(user) {
    const body = (await (await fetch(`${bff.url}/face-page`, { headers: who(user) })).json()) as Shown;
    const { degraded: _, ...shown } = body;
    return shown;
  },
  'REST as an event stream': (user) => records('text/event-stream', user),
  'REST as records': (user) => records('application/x-ndjson', user),
  async GraphQL(user) {
    return (await postTo(bff.url, { query: QUERY }, who(user))).body.data?.['facePage'] as Shown;
  },
  async 'GraphQL as an event stream'(user) {
    const response = await fetch(`${bff.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...who(user) },
      body: JSON.stringify({ query: EVENTS }),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const data = (await response.text()).split('\n').find((line) => line.startsWith('data: {')) ?? '';
    return (JSON.parse(data.slice('data: '.length)) as { data: { facePages: Shown } }).data.facePages;
  },
  async 'GraphQL over a WebSocket'(user) {
    const client = createClient({
      url: `${bff.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocols: string) {
          super(url, protocols, { headers: who(user) });
        }
      },
    });
    try {
      const { value } = (await client.iterate({ query: QUERY }).next()) as {
        value: { data: { facePage: Shown } };
      };
      return value.data.facePage;
    } finally {
      await client.dispose();
    }
  },
};

/** Of an order, what GraphQL can show: REST has besides what is no field. */
const withoutOwner = (shown: unknown): unknown =>
  JSON.parse(
    JSON.stringify(shown, (key, value: unknown) => (key === 'owner' && value !== null ? undefined : value)),
  );

const seen = (id: string, card: string, address: string | null) => ({
  id,
  card,
  margin: 0,
  city: 'Graz',
  note: null,
  worded: 'x',
  asked: '?',
  address,
});
const first = seen('1', 'card 1', 'at ada');
const PAGES: Readonly<Record<string, Shown>> = {
  ada: {
    latest: first,
    orders: [first, seen('2', '***', null)],
    greeting: 'hello ada',
    draft: { title: 't' },
    inner: { secret: null, orders: [seen('3', '***', null)] },
  },
  bob: {
    latest: seen('1', '***', null),
    orders: [seen('1', '***', null), seen('2', 'card 2', 'at bob')],
    greeting: 'hidden',
    inner: { secret: 'of bob', orders: [seen('3', 'card 3', 'at bob')] },
  },
  support: {
    latest: seen('1', 'card 1', null),
    orders: [seen('1', 'card 1', null), seen('2', 'card 2', null)],
    greeting: 'hidden',
    inner: { secret: null, orders: [seen('3', 'card 3', null)] },
  },
};

describe.each(Object.entries(FACES))('the masks of a view over %s', (name, show) => {
  it.each(Object.entries(PAGES))('show %s what they may see', async (user, page) => {
    const { draft, ...rest } = withoutOwner(await show(user)) as Shown;
    expect({ ...rest, ...(user === 'ada' ? { draft } : {}) }).toEqual(page);
    // What the class of an object keeps back is kept back whole; GraphQL shows the object by its fields.
    const nothing = name.startsWith('GraphQL') ? { owner: null, title: null } : null;
    if (user !== 'ada') expect(draft).toEqual(nothing);
  });
});

describe('a view with conditions over REST', () => {
  it('says what is kept back, but for masks', async () => {
    const { degraded } = (await (await fetch(`${bff.url}/face-page`, { headers: who('bob') })).json()) as {
      degraded: unknown;
    };
    const denied = (section: string) => ({ section, code: 'permission-denied', via: 'null' });
    expect(degraded).toEqual([denied('latest'), denied('orders'), denied('draft')]);
  });

  it('masks where nobody is known', async () => {
    const body = (await (await fetch(`${bff.url}/face-page?fields=greeting`)).json()) as Shown;
    expect(body).toEqual({ greeting: 'hidden' });
  });
});

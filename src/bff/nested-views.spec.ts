import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Field, ID, ObjectType, Query } from '@nestjs/graphql';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFeed } from '../../examples/services/feed.ts';
import type { HttpService } from '../../examples/services/http-service.ts';
import { startUsers } from '../../examples/services/users.ts';
import { UsersStore } from '../../examples/services/users-store.ts';
import { getFeed } from '../routes/services/feed.calls.ts';
import { getUser } from '../routes/services/users.calls.ts';
import { CurrentExchange } from '../exchange/exchange-of.ts';
import { Exchange } from '../exchange/exchange.ts';
import { Public } from '../policies/authentication/authentication.policy.ts';
import { Problem } from '../problems/problem.ts';
import { startBff, type BffApp } from './bff-app.fixture.ts';
import { ViewResolver } from './graphql/fields/view-resolver.ts';
import type { ViewRun } from './view-run.ts';
import { View } from './view.ts';
import { Views } from './views.ts';
import { ViewsModule } from './views.module.ts';

const slow = new Set<string>();
/** A source that a test can make slow, or make fail. */
const source = (name: string) => async (): Promise<string> => {
  if (slow.has(name)) await sleep(60_000, undefined, { ref: false });
  if (broken.has(name)) throw new Problem('upstream-unreachable');
  return name;
};
const broken = new Set<string>();

const Card = View.define('Card')
  .input<{ id: string }>()
  .required('user', getUser, ({ input }) => ({ id: input.id }))
  .section('feed', getFeed, ({ input }) => ({ user: input.id, first: 1 }), {
    fallback: () => ({ items: [] }),
  })
  .section('mood', source('mood'));

const Person = View.define('Person')
  .input<{ id: string }>()
  .required('user', getUser, ({ input }) => ({ id: input.id }));

const Page = View.define('NestedPage')
  .input<{ ids: readonly string[] }>()
  .section('title', () => 'hello')
  .section('card', Card, ({ input }) => ({ id: input.ids[0] ?? '' }), { budget: '1s' })
  .list('authors', getUser, ({ input }) => input.ids.map((id) => ({ id })))
  .list('people', Person, ({ input }) => input.ids.map((id) => ({ id })))
  .section('greeting', async ({ get }) => `hello ${(await get('card')).user.name}`);

@ObjectType()
class Someone {
  @Field(() => ID)
  readonly id!: string;
  @Field()
  readonly name!: string;
}
@ObjectType()
class Item {
  @Field()
  readonly title!: string;
}
@ObjectType()
class Items {
  @Field(() => [Item])
  readonly items!: Item[];
}
@ObjectType()
class CardType {
  @Field(() => Someone)
  readonly user!: Someone;
  @Field(() => Items)
  readonly feed!: Items;
  @Field(() => String, { nullable: true })
  readonly mood!: string | null;
}
@ObjectType()
class PersonType {
  @Field(() => Someone)
  readonly user!: Someone;
}
@ObjectType()
class NestedPage {
  @Field(() => String, { nullable: true })
  readonly title!: string | null;
  @Field(() => CardType, { nullable: true })
  readonly card!: CardType | null;
  @Field(() => [Someone], { nullable: 'itemsAndList' })
  readonly authors!: readonly (Someone | null)[] | null;
  @Field(() => [PersonType], { nullable: 'itemsAndList' })
  readonly people!: readonly (PersonType | null)[] | null;
  @Field(() => String, { nullable: true })
  readonly greeting!: string | null;
}

@ViewResolver(Card, () => CardType)
class CardResolver {}
@ViewResolver(Person, () => PersonType)
class PersonResolver {}
@ViewResolver(Page, () => NestedPage)
class PageResolver {
  constructor(private readonly views: Views) {}

  @Query(() => NestedPage)
  page(@CurrentExchange() exchange: Exchange): ViewRun {
    return this.views.start(Page, { ids }, exchange);
  }
}
@Controller()
@Public()
class PageController {
  constructor(private readonly views: Views) {}

  @Get('page')
  page(@CurrentExchange() exchange: Exchange): Promise<object> {
    return this.views.serve(Page, { ids }, exchange);
  }
}
const providers = [CardResolver, PersonResolver, PageResolver];
const PageModule = {
  module: class PageModule {},
  imports: [ViewsModule],
  controllers: [PageController],
  providers,
};

const QUERY = `{ page {
  title card { user { id name } feed { items { title } } mood }
  authors { id name } people { user { id name } } greeting
} }`;

let ids: readonly string[] = ['1', '2', '1'];
let users: HttpService;
let feed: HttpService;
let bff: BffApp;

beforeAll(async () => {
  users = await startUsers({ store: new UsersStore() });
  feed = await startFeed();
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
  const upstreams = { users: { targets: [users.url], ...calm }, feed: { targets: [feed.url], ...calm } };
  bff = await startBff({ modules: [PageModule], upstreams: JSON.stringify(upstreams) });
});
afterAll(() => Promise.all([bff.stop(), users.stop(), feed.stop()]));
afterEach(async () => {
  ids = ['1', '2', '1'];
  slow.clear();
  broken.clear();
  await Promise.all([users.fault('none'), feed.fault('none')]);
});

interface Body extends Partial<NestedPage> {
  readonly degraded?: readonly { readonly section: string }[];
}

async function rest(query = ''): Promise<Body> {
  return (await (await fetch(`${bff.url}/page${query}`)).json()) as Body;
}

interface GraphqlAnswer {
  readonly data: { readonly page: Body };
  readonly errors?: readonly { readonly path: readonly unknown[]; readonly extensions: { code: string } }[];
  readonly extensions?: { readonly degraded: readonly unknown[] };
}

async function graphql(query = QUERY): Promise<GraphqlAnswer> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify({ query }) };
  return (await (await fetch(`${bff.url}/graphql`, init)).json()) as GraphqlAnswer;
}

/** What REST answers, cut to what the query selects. */
function selected(shown: Body): Body {
  const { degraded: _degraded, ...body } = shown;
  const person = (one: Someone | null): Someone | null => one && { id: one.id, name: one.name };
  return {
    ...body,
    card: body.card && {
      ...body.card,
      user: person(body.card.user) as Someone,
      feed: { items: body.card.feed.items.map(({ title }) => ({ title })) },
    },
    authors: body.authors?.map(person) ?? null,
    people: body.people?.map((one) => one && { user: person(one.user) as Someone }) ?? null,
  } as Body;
}

describe('a section that is another view', () => {
  it('is the same over REST and GraphQL, interpreted and compiled', async () => {
    const body = await rest();
    expect(body.card?.mood).toBe('mood');
    expect(body.greeting).toBe(`hello ${body.card?.user.name}`);
    expect(body.people?.map((one) => one?.user.id)).toEqual(['1', '2', '1']);
    expect(body.degraded).toBeUndefined();
    for (let run = 0; run < 6; run += 1) {
      const { data, errors } = await graphql();
      expect([data.page, errors]).toEqual([selected(body), undefined]);
    }
  });

  it('names a section within it that is degraded by its path, and the rest stands', async () => {
    const whole = await rest();
    broken.add('mood');
    await feed.fault('fail');
    const body = await rest();
    expect(body.degraded).toEqual([
      { section: 'card.feed', code: 'upstream-rejected', via: 'fallback' },
      { section: 'card.mood', code: 'upstream-unreachable', via: 'null' },
    ]);
    expect(body).toMatchObject({ ...whole, card: { ...whole.card, feed: { items: [] }, mood: null } });
    for (let run = 0; run < 6; run += 1) {
      const { data, errors, extensions } = await graphql();
      expect(data.page).toEqual(selected(body));
      expect(errors).toMatchObject([{ path: ['page', 'card', 'mood'] }]);
      expect(extensions?.degraded).toMatchObject([{ path: ['page', 'card', 'feed'], via: 'fallback' }]);
    }
  });

  it('is null when a section fails that it requires, and so is what depends on it', async () => {
    await users.fault('fail');
    const body = await rest('?fields=title,card,greeting');
    expect(body).toEqual({
      title: 'hello',
      card: null,
      greeting: null,
      degraded: [
        { section: 'card', code: 'upstream-rejected', via: 'null' },
        { section: 'greeting', code: 'upstream-rejected', via: 'null' },
      ],
    });
    const { data, errors } = await graphql('{ page { title card { user { id } } greeting } }');
    expect(data.page).toEqual({ title: 'hello', card: null, greeting: null });
    expect(errors?.map(({ path }) => path)).toEqual([
      ['page', 'card', 'user'],
      ['page', 'greeting'],
    ]);
  });

  it('shows what it has when its budget is up before one of its sections', async () => {
    const whole = await rest();
    slow.add('mood');
    const body = await rest();
    expect(body.degraded).toEqual([{ section: 'card.mood', code: 'upstream-timeout', via: 'null' }]);
    expect(body.card).toEqual({ ...whole.card, mood: null });
    expect((await graphql()).data.page).toEqual(selected(body));
  });

  it('runs only the fields that a path selects, and those that others need', async () => {
    const before = feed.requests.total;
    expect(Object.keys((await rest('?fields=card.mood,card.user')).card ?? {})).toEqual(['user', 'mood']);
    expect(feed.requests.total).toBe(before);
    const body = await rest('?fields=card.mood,greeting');
    expect(Object.keys(body)).toEqual(['card', 'greeting']);
    expect(body).toMatchObject({ card: { mood: 'mood' }, greeting: expect.stringContaining('hello') });
    expect(Object.keys((await rest('?fields=card.mood,card')).card ?? {})).toEqual(['user', 'feed', 'mood']);
  });

  it.each([
    ['card.modd', 'There is no field "card.modd". Did you mean "card.mood"?'],
    ['card.feed.items', 'The field "card.feed" has no fields to choose from; it comes whole.'],
  ])('refuses %s in fields', async (field, detail) => {
    const response = await fetch(`${bff.url}/page?fields=${field}`);
    expect(await response.json()).toMatchObject({
      code: 'request-invalid',
      errors: [{ parameter: 'fields', detail: expect.stringContaining(detail) }],
    });
  });
});

describe('a list', () => {
  it('makes one call for all of its elements, in their order, each element once', async () => {
    const before = users.requests.total;
    const body = await rest('?fields=authors,people');
    expect(body.authors?.map((one) => one?.id)).toEqual(['1', '2', '1']);
    expect(users.requests.total - before).toBe(1);
    const { data } = await graphql('{ page { authors { id } people { user { id } } } }');
    expect(data.page.people).toHaveLength(3);
    expect(users.requests.total - before).toBe(2);
  });

  it('shows null for an element that fails alone, and names it', async () => {
    ids = ['1', 'nobody'];
    const body = await rest('?fields=authors,people');
    expect(body.authors).toMatchObject([{ id: '1' }, null]);
    expect(body.people).toMatchObject([{ user: { id: '1' } }, null]);
    expect(body.degraded).toEqual([
      { section: 'authors.1', code: 'resource-not-found', via: 'null' },
      { section: 'people.1', code: 'resource-not-found', via: 'null' },
    ]);
    for (let run = 0; run < 6; run += 1) {
      const { data, errors } = await graphql('{ page { authors { id } people { user { id } } } }');
      expect(data.page).toEqual({ authors: [{ id: '1' }, null], people: [{ user: { id: '1' } }, null] });
      expect(new Set(errors?.map(({ path, extensions }) => `${path.join('.')} ${extensions.code}`))).toEqual(
        new Set(['page.authors.1 resource-not-found', 'page.people.1.user resource-not-found']),
      );
    }
  });

  it('fails as a whole when all of its elements do, and is empty without any', async () => {
    ids = [];
    expect(await rest('?fields=authors,people')).toEqual({ authors: [], people: [] });
    ids = ['1', '2'];
    await users.fault('dead');
    expect(await rest('?fields=authors,title')).toEqual({
      title: 'hello',
      authors: null,
      degraded: [{ section: 'authors', code: 'upstream-unreachable', via: 'null' }],
    });
  });

  it('is refused over a call that would be made once per element, also within a view', () => {
    const define = View.define('Lists').input<{ ids: readonly string[] }>();
    const toInputs = ({ input }: { input: { ids: readonly string[] } }) =>
      input.ids.map((user) => ({ user }));
    expect(() => define.list('feeds', getFeed, toInputs)).toThrow(
      'section "feeds" of the view Lists: the call feed.get would be made once per element of a list; ' +
        'declare `batch` on the call, or `each: { concurrency: … }` to allow it',
    );
    expect(() => define.list('cards', Card, ({ input }) => input.ids.map((id) => ({ id })))).toThrow(
      'section "cards" of the view Lists, section "feed" of the view Card: the call feed.get would',
    );
  });

  it('fails, and says so in the log, where a source within makes such a call by itself', async () => {
    const Hidden = View.define('Hidden')
      .input<string>()
      .section('feed', ({ input, call }) => call(getFeed, { user: input }), {
        fallback: () => ({ items: [] }),
      });
    const All = View.define('All')
      .input<object>()
      .list('all', Hidden, () => ['1', '2']);
    const views = bff.app.get(Views);
    await expect(views.serve(All, {}, new Exchange(bff.exchanges[0] as Exchange))).rejects.toMatchObject({
      code: 'internal',
      extensions: { section: 'all.feed' },
    });
    expect(bff.errors.join()).toContain('the call feed.get would be made once per element');
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Field, ObjectType, Query } from '@nestjs/graphql';
import { z } from 'zod';
import { startUpstream, type TestUpstream } from '../../../../test/support/upstream.ts';
import { CallsModule } from '../../../calls/calls.module.ts';
import { httpUpstream } from '../../../calls/http-upstream.ts';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { View } from '../../view.ts';
import type { ViewRun } from '../../view-run.ts';
import { kindByHeader } from '../../view-variants.ts';
import { Views } from '../../views.ts';
import { ViewsModule } from '../../views.module.ts';
import { postTo, type GraphqlAnswerRead } from '../graphql-client.fixture.ts';
import { ViewResolver } from '../fields/view-resolver.ts';

interface Named {
  readonly name: string | null;
}

const gone = <Value>(): Promise<Value> => Promise.reject(new Problem('upstream-unreachable'));
const getSafe = httpUpstream('things').get<object, Named>('answer.safe', '/broken', {
  decode: z.object({ name: z.string() }),
  fallback: () => ({ name: 'of the call' }),
});
const getEach = httpUpstream('things').get<{ id: string }, Named>('answer.each', '/things/{id}', {
  decode: z.object({ name: z.string() }),
  each: { concurrency: 4 },
  fallback: ({ code }) => ({ name: code }),
});

const Leaf = View.define('AnswerLeaf')
  .input<{ id: string }>()
  .section('words', gone<string[]>, { fallback: () => ['none'] })
  .section('motto', gone<string>);

const Person = View.define('AnswerPerson')
  .input<{ id: string }>()
  .required('id', ({ input }) => input.id)
  .section('feed', ({ input }) => (input.id === '2' ? gone<string[]>() : ['news']), {
    fallback: () => ['old'],
  })
  .section('leaf', Leaf, ({ input }) => input)
  .section('sure', gone<Named>, { fallback: () => ({ name: null }) });

const Page = View.define('AnswerPage')
  .input<object>()
  .required('safe', getSafe, () => ({}))
  .required('open', async ({ call }) => await call(getSafe, {}))
  .section('nothing', gone<Named | null>, { fallback: () => null })
  .section('person', Person, () => ({ id: '1' }))
  .list('people', Person, () => ['1', '2', '1'].map((id) => ({ id })))
  .list('each', getEach, () => ['1', 'broken'].map((id) => ({ id })));
const Pages = Page.variants(kindByHeader('x-device'), { blank: (page) => page.pick('person', () => null) });

@ObjectType('AnswerNamed')
class NamedType {
  @Field()
  name!: string;
}
const nullable = { nullable: true };

@ObjectType('AnswerMaybe')
class MaybeType {
  @Field(() => String, nullable)
  name!: string | null;
}

@ObjectType('AnswerLeaf')
class LeafType {
  @Field(() => [String])
  words!: string[];
  @Field(() => String, nullable)
  motto!: string | null;
}

@ObjectType('AnswerPerson')
class PersonType {
  @Field(() => String)
  id!: string;
  @Field(() => [String])
  feed!: readonly string[];
  @Field(() => LeafType, nullable)
  leaf!: LeafType | null;
  /** Has a name, says the schema; the fallback has none. */
  @Field(() => NamedType, nullable)
  sure!: MaybeType | null;
}

@ObjectType('AnswerPage')
class PageType {
  @Field(() => MaybeType)
  safe!: MaybeType;
  @Field(() => MaybeType)
  open!: MaybeType;
  @Field(() => MaybeType, nullable)
  nothing!: MaybeType | null;
  @Field(() => PersonType, nullable)
  person!: PersonType | null;
  @Field(() => [PersonType], { nullable: 'itemsAndList' })
  people!: readonly (PersonType | null)[] | null;
  @Field(() => [MaybeType], { nullable: 'itemsAndList' })
  each!: readonly (MaybeType | null)[] | null;
}

@ViewResolver(Leaf, () => LeafType)
class LeafResolver {}
@ViewResolver(Person, () => PersonType)
class PersonResolver {}
@ViewResolver(Pages, () => PageType)
class PageResolver {
  constructor(private readonly views: Views) {}

  @Query(() => PageType)
  page(@CurrentExchange() exchange: Exchange): ViewRun {
    return this.views.start(Pages, {}, exchange);
  }

  /** A list that no view made. */
  @Query(() => [PersonType])
  crowd(@CurrentExchange() exchange: Exchange): readonly ViewRun[] {
    return ['2', '2'].map((id) => this.views.start(Person, { id }, exchange));
  }
}

let upstream: TestUpstream;
let bff: BffApp;
beforeAll(async () => {
  upstream = await startUpstream(({ url = '' }, response) => {
    response.writeHead(url.endsWith('broken') ? 503 : 200).end('{"name":"found"}');
  });
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
  bff = await startBff({
    upstreams: JSON.stringify({ things: { targets: [upstream.url], ...calm } }),
    modules: [
      {
        module: class AnswerModule {},
        imports: [ViewsModule, CallsModule],
        providers: [LeafResolver, PersonResolver, PageResolver],
      },
    ],
  });
});
afterAll(() => Promise.all([bff.stop(), upstream.stop()]));

/** What both engines answer: the first runs are interpreted, the later ones compiled. */
async function answerTo(query: string, device = 'any'): Promise<GraphqlAnswerRead['body']> {
  const { body } = await postTo(bff.url, { query }, { 'x-device': device });
  for (let run = 0; run < 5; run += 1) {
    const again = (await postTo(bff.url, { query }, { 'x-device': device })).body;
    expect(again).toEqual(body);
  }
  return body;
}

const unreachable = { code: 'upstream-unreachable', via: 'fallback' };

describe('extensions.degraded', () => {
  it('names a required section that the fallback of its call was shown for', async () => {
    const body = await answerTo('{ page { mine: safe { name } open { name } } }');
    const rejected = { code: 'upstream-rejected', via: 'fallback' };
    expect(body).toEqual({
      data: { page: { mine: { name: 'of the call' }, open: { name: 'of the call' } } },
      extensions: {
        degraded: [
          { section: 'safe', ...rejected, path: ['page', 'mine'] },
          { section: 'open', ...rejected, path: ['page', 'open'] },
        ],
      },
    });
  });

  it('names a section whose fallback is null, which nothing else tells', async () => {
    expect(await answerTo('{ page { nothing { name } } }')).toEqual({
      data: { page: { nothing: null } },
      extensions: { degraded: [{ section: 'nothing', ...unreachable, path: ['page', 'nothing'] }] },
    });
  });

  it('leaves to the errors what became null because the fallback does not fit the schema', async () => {
    const { data, errors, extensions } = await answerTo('{ page { person { sure { name } } } }');
    expect(data).toEqual({ page: { person: { sure: null } } });
    expect(errors).toMatchObject([{ path: ['page', 'person', 'sure', 'name'] }]);
    expect(extensions).toBeUndefined();
    const list = await answerTo('{ page { people { sure { name } } } }');
    expect(list.errors?.map(({ path }) => path)).toEqual(
      [0, 1, 2].map((index) => ['page', 'people', index, 'sure', 'name']),
    );
    expect(list.extensions).toBeUndefined();
  });

  it('names a section once for each alias, wherever it shows', async () => {
    const query = '{ a: page { leaf: person { x: leaf { words } y: leaf { z: words words } } } }';
    const { extensions } = await answerTo(query);
    expect(extensions?.['degraded']).toEqual(
      [
        ['x', 'words'],
        ['y', 'z'],
        ['y', 'words'],
      ].map((path) => ({ section: 'words', ...unreachable, path: ['a', 'leaf', ...path] })),
    );
  });

  it('counts the elements of a list in its path, in views within views', async () => {
    const { data, extensions } = await answerTo('{ page { all: people { id feed leaf { words } } } }');
    expect(data).toMatchObject({
      page: { all: [{ feed: ['news'] }, { feed: ['old'] }, { feed: ['news'] }] },
    });
    const degraded = extensions?.['degraded'] as { section: string; path: unknown }[];
    const at = (name: string): unknown[] =>
      degraded.filter(({ section }) => section === name).map(({ path }) => path);
    expect(at('feed')).toEqual([['page', 'all', 1, 'feed']]);
    expect(at('words')).toEqual([0, 1, 2].map((index) => ['page', 'all', index, 'leaf', 'words']));
    expect(degraded).toHaveLength(4);
  });

  it('counts the elements of a list that no view made', async () => {
    const { extensions } = await answerTo('{ crowd { news: feed } }');
    const paths = [0, 1].map((index) => ['crowd', index, 'news']);
    expect(extensions?.['degraded']).toEqual(
      paths.map((path) => ({ section: 'feed', ...unreachable, path })),
    );
  });

  it('names a list as a whole when the fallback of its call is one of its elements', async () => {
    expect(await answerTo('{ page { each { name } } }')).toEqual({
      data: { page: { each: [{ name: 'found' }, { name: 'upstream-rejected' }] } },
      extensions: {
        degraded: [{ section: 'each', code: 'upstream-rejected', via: 'fallback', path: ['page', 'each'] }],
      },
    });
  });

  it('leaves a section that is null to the errors', async () => {
    const { data, errors, extensions } = await answerTo('{ page { person { leaf { motto } } } }');
    expect(data).toEqual({ page: { person: { leaf: { motto: null } } } });
    expect(errors).toMatchObject([
      { path: ['page', 'person', 'leaf', 'motto'], extensions: { code: 'upstream-unreachable' } },
    ]);
    expect(extensions).toBeUndefined();
  });

  it('says nothing of what a kind of clients is not shown', async () => {
    const body = await answerTo('{ page { person { id leaf { words } } } }', 'blank');
    expect(body).toEqual({ data: { page: { person: null } } });
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Args, Field, Int, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { Calls } from '../fields/calls.decorator.ts';
import { Cost } from './cost.decorator.ts';
import { postTo } from '../graphql-client.fixture.ts';

@Cost({ weight: 3 })
@ObjectType('LimitedAuthor')
class Author {
  @Field()
  name!: string;

  @Cost({ weight: 0.5 })
  @Field()
  portrait!: string;
}

@ObjectType('LimitedPost')
class Post {
  @Field()
  title!: string;

  @Field(() => [Author])
  authors!: Author[];

  @Cost({ listSize: 4 })
  @Field(() => [String])
  tags!: string[];
}

const author = { name: 'Ada', portrait: 'ada.png' };

@Resolver(() => Post)
class PostResolver {
  @Query(() => [Post])
  posts(@Args('first', { type: () => Int, defaultValue: 5 }) first: number): Partial<Post>[] {
    return Array.from({ length: Math.min(first, 2) }, () => ({ title: 't', tags: [] }));
  }

  @Query(() => String)
  a(): string {
    return 'a';
  }

  @Calls()
  @ResolveField()
  authors(): Author[] {
    return [author];
  }
}

const modules = [{ module: class PostModule {}, providers: [PostResolver] }];
const cost = { max: 60, listSize: 10 };
let enforcing: BffApp;
let measuring: BffApp;
beforeAll(async () => {
  const limits = { maxAliases: 5, maxRootFields: 7, maxDirectives: 3 };
  enforcing = await startBff({ modules, graphql: { ...limits, cost: { ...cost, mode: 'enforce' } } });
  measuring = await startBff({ modules, graphql: { cost: { ...cost, mode: 'measure' } } });
});
afterAll(() => Promise.all([enforcing.stop(), measuring.stop()]));

describe('the limits of a document', () => {
  const TOO_LARGE: [string, string][] = [
    ['{ a1: a a2: a a3: a a4: a a5: a a6: a }', 'more than 5 aliases'],
    [
      '{ ...A ...B } fragment A on Query { a1: a a2: a a3: a } fragment B on Query { ...A }',
      'more than 5 aliases',
    ],
    ['{ __typename a a a a a a a }', 'more than 7 fields at its root'],
    ['{ ...A ... on Query { a a a a } } fragment A on Query { a a a a }', 'more than 7 fields at its root'],
    [
      '{ a @include(if: true) ... @skip(if: false) { a @skip(if: false) a @skip(if: false) } }',
      'more than 3 directives',
    ],
    ['query @x @y @z @u { a }', 'more than 3 directives'],
    ['{ ...A @x ...A @x } fragment A on Query @x { a }', 'more than 3 directives'],
  ];

  it.each(TOO_LARGE)('refuse %s', async (query, message) => {
    const { body } = await postTo(enforcing.url, { query });
    expect(body.data).toBeUndefined();
    expect(body.errors?.map((error) => error.message).join()).toContain(message);
  });

  it('pass what is as large as they allow', async () => {
    const query =
      '{ a1: a a2: a a3: a a4: a a5: a a @include(if: true) @skip(if: false) a @skip(if: false) }';
    expect((await postTo(enforcing.url, { query })).body.errors).toBeUndefined();
  });
});

describe('the cost of an operation', () => {
  const COSTS: [string, Record<string, unknown>, number][] = [
    ['{ a }', {}, 0],
    ['{ posts { title } }', {}, 5],
    ['{ posts(first: 2) { title } }', {}, 2],
    ['query($n: Int) { posts(first: $n) { title } }', { n: 7 }, 7],
    ['query($n: Int = 3) { posts(first: $n) { title } }', {}, 3],
    ['query($n: Int) { posts(first: $n) { title } }', {}, 5],
    ['{ posts(first: -1) { title } }', {}, 10],
    // A post 1, ten authors of 3 each and their portraits.
    ['{ posts(first: 1) { authors { name portrait } } }', {}, 1 + 10 * 3 + 10 * 0.5],
    ['{ posts(first: 1) { tags } }', {}, 1],
    [
      '{ ...F again: posts(first: 1) { title } } fragment F on Query { posts(first: 2) { ... on LimitedPost { title } } }',
      {},
      3,
    ],
  ];

  it.each(COSTS)('of %s with %j is %d', async (query, variables, expected) => {
    const { body } = await postTo(measuring.url, { query, variables });
    expect(body.errors).toBeUndefined();
    expect(body.extensions).toEqual({ cost: { requested: expected, max: 60 } });
  });

  it('refuses before anything runs where it is enforced, and only shows where it is measured', async () => {
    const query = 'query($n: Int) { posts(first: $n) { title authors { name } } }';
    const refused = await postTo(enforcing.url, { query, variables: { n: 2 } });
    expect(refused.body).toEqual({
      errors: [
        {
          message: 'The operation costs 62; at most 60 is allowed.',
          extensions: { code: 'request-invalid' },
        },
      ],
      extensions: { cost: { requested: 62, max: 60 } },
    });
    expect((await postTo(measuring.url, { query, variables: { n: 2 } })).body.data).toMatchObject({
      posts: [{}, {}],
    });
    expect((await postTo(enforcing.url, { query, variables: { n: 1 } })).body.errors).toBeUndefined();
  });

  it('refuses a decorator that makes no sense', () => {
    expect(() => Cost({ weight: -1 })(class Priced {}.prototype, 'field')).toThrow('weight');
  });
});

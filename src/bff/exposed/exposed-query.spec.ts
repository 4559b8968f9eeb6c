import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import { z } from 'zod';
import { CallsModule } from '../../calls/calls.module.ts';
import { ComponentStore } from '../../contracts/components.ts';
import { handlerContract } from '../../contracts/handler-contract.ts';
import { startBff, type BffApp } from '../bff-app.fixture.ts';
import { postTo } from '../graphql/graphql-client.fixture.ts';
import { View } from '../view.ts';
import { exposedViews } from './exposed-views.ts';

const asked = z
  .object({
    id: z.string(),
    first: z.int(),
    sort: z.enum(['newest', 'best']).nullable(),
    tags: z.array(z.string()),
    all: z.boolean(),
  })
  .meta({ id: 'AskedQuery' });
const query = {
  first: z.int().min(1).max(50).default(10).describe('How many are shown.'),
  sort: z.enum(['newest', 'best']).optional(),
  tags: z.array(z.string().max(5)).default([]),
  all: z.boolean().default(false),
};

const Search = View.define('QueriedPage')
  .input<{ id: string; first: number; sort?: 'newest' | 'best' | undefined; tags: string[]; all: boolean }>()
  .required('asked', ({ input }) => Promise.resolve({ ...input, sort: input.sort ?? null }))
  .section('more', () => Promise.resolve(1), { fallback: () => 0 })
  .expose({
    rest: '/api/queried/{id}',
    graphql: 'queried',
    query,
    policies: { authentication: 'public' },
    sections: { asked, more: z.int() },
  });

let bff: BffApp;
beforeAll(async () => {
  const module = { module: class QueriedModule {}, imports: [CallsModule, exposedViews(Search)] };
  bff = await startBff({
    modules: [module],
    factories: [],
    door: { authentication: 'public' },
    upstreams: '{}',
  });
});
afterAll(() => bff.stop());

const rest = (said: string): Promise<Response> => fetch(`${bff.url}/api/queried/7${said}`);
const graphql = async (args: string, variables: object = {}, head = '') =>
  (
    await postTo(bff.url, {
      query: `query ${head} { queried(id: 7${args}) { asked { id first sort tags all } } }`,
      variables,
    })
  ).body;

describe('parameters of the query of a view', () => {
  const SAID = { id: '7', first: 2, sort: 'best', tags: ['a', 'b'], all: true };
  const NOTHING = { id: '7', first: 10, sort: null, tags: [], all: false };

  it('are what their schemas make of texts, and of arguments', async () => {
    const answer = await rest('?first=2&sort=best&tags=a&tags=b&all=true&fields=asked');
    expect([answer.status, await answer.json()]).toEqual([200, { asked: SAID }]);
    const said = await graphql(', first: 2, sort: best, tags: ["a", "b"], all: true');
    expect(said).toEqual({ data: { queried: { asked: SAID } } });
  });

  it('have their defaults where nothing is said, or null', async () => {
    expect(await (await rest('')).json()).toEqual({ asked: NOTHING, more: 1 });
    expect(await graphql('')).toEqual({ data: { queried: { asked: NOTHING } } });
    const said = await graphql(
      ', sort: $sort, first: $first',
      { sort: null, first: null },
      '($sort: QueriedPageSort, $first: Int)',
    );
    expect(said).toEqual({ data: { queried: { asked: NOTHING } } });
  });

  it('can be said once where they are a list', async () => {
    expect(await (await rest('?tags=a&fields=asked')).json()).toMatchObject({ asked: { tags: ['a'] } });
  });

  it.each([
    ['?first=x', 'first', 'expected number'],
    ['?first=51', 'first', '<=50'],
    ['?first=', 'first', 'expected number'],
    ['?first=1&first=2', 'first', 'expected number'],
    ['?all=yes', 'all', 'expected boolean'],
    ['?sort=worst', 'sort', '"newest"|"best"'],
    ['?tags=a&tags=toolong', 'tags.1', '<=5'],
    ['?frist=2', 'frist', 'did you mean "first"?'],
  ])('are refused over REST: %s', async (said, parameter, message) => {
    const answer = await rest(said);
    const body = (await answer.json()) as { code: string; errors: readonly object[] };
    expect([answer.status, body.code]).toEqual([400, 'request-invalid']);
    expect(body.errors).toContainEqual({ parameter, detail: expect.stringContaining(message) });
  });

  it('are refused over GraphQL, by its types and by the schemas', async () => {
    expect((await graphql(', first: "x"')).errors?.[0]?.message).toContain('Int cannot represent');
    const { errors } = await graphql(', first: 51');
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'request-invalid',
      errors: [{ parameter: 'first' }],
    });
  });

  it('are arguments of the schema, and parameters of the document', () => {
    const field = bff.app.get(GraphQLSchemaHost).schema.getQueryType()?.getFields()['queried'];
    expect(field?.args.map(({ name, type, description }) => [name, String(type), description])).toEqual([
      ['id', 'ID!', undefined],
      ['first', 'Int', 'How many are shown.'],
      ['sort', 'QueriedPageSort', undefined],
      ['tags', '[String!]', undefined],
      ['all', 'Boolean', undefined],
    ]);
    const [Controller] = exposedViews(Search).controllers as [new () => { show(): void }];
    const handler = { controller: Controller, name: 'show', method: Controller.prototype.show };
    const { parameters } = handlerContract(handler as never, 'GET', new ComponentStore());
    const stated = parameters.map((one) => [one.name, one.in, one.required ?? false, one.schema]);
    expect(stated).toContainEqual([
      'first',
      'query',
      false,
      { type: 'integer', default: 10, minimum: 1, maximum: 50 },
    ]);
    expect(stated).toContainEqual(['sort', 'query', false, { type: 'string', enum: ['newest', 'best'] }]);
    expect(stated.map(([name]) => name)).toEqual(['id', 'first', 'sort', 'tags', 'all', 'fields']);
    expect(parameters.find(({ name }) => name === 'first')?.description).toBe('How many are shown.');
  });
});

describe('a query that cannot be asked', () => {
  const plain = View.define('Unaskable')
    .input<object>()
    .section('one', () => Promise.resolve(1));
  const exposed = (parameters: Readonly<Record<string, z.ZodType>>) => () =>
    exposedViews(plain.expose({ rest: '/unaskable/{id}', query: parameters, sections: { one: z.int() } }));
  const about = (name: string): string => `the view Unaskable: the parameter "${name}" of its query `;

  it.each([
    ['fields', z.string(), 'has the name of the one that selects sections'],
    ['id', z.string(), 'is in its path, too'],
    ['page-size', z.int(), 'has no name that GraphQL can have'],
    ['filter', z.object({ a: z.string() }), 'is a object, which no text can stand for'],
    ['since', z.date(), 'is a date, which no text can stand for'],
    ['lists', z.array(z.array(z.string())), 'is a array, which no text can stand for'],
    ['none', undefined as never, 'has no schema of zod'],
  ])('is a fault by its parameter: %s', (name, schema, message) => {
    expect(exposed({ [name]: schema })).toThrow(about(name) + message);
  });

  it('lists all of them at once', () => {
    expect(exposed({ id: z.string(), since: z.date() })).toThrow(/"id".*\n.*"since"/);
  });

  it('does not compile where the view gets another input', () => {
    const typed = View.define('Typed').input<{ first: number }>();
    // @ts-expect-error - the parameter is a text
    typed.expose({ rest: '/typed', query: { first: z.string() } });
    // @ts-expect-error - it may be left out
    typed.expose({ rest: '/typed', query: { first: z.int().optional() } });
    const made = typed.expose({
      rest: '/typed',
      query: { page: z.string() },
      input: ({ query: { page } }) => ({ first: page.length }),
    });
    expect(made.options.rest).toBe('/typed');
  });
});

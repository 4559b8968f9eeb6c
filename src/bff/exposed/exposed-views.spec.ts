import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import { printType } from 'graphql';
import { z } from 'zod';
import { CallsModule } from '../../calls/calls.module.ts';
import { httpUpstream } from '../../calls/http-upstream.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { AuthorizationStageFactory } from '../../policies/authorization/authorization.stage.ts';
import { policyRegistry } from '../../policies/order.ts';
import type { StageFactory } from '../../policies/stage-factory.ts';
import { controllerRoutes } from '../../routing/sources/controller.route-source.ts';
import { startBff, testPrincipal, type BffApp } from '../bff-app.fixture.ts';
import { postTo } from '../graphql/graphql-client.fixture.ts';
import { Answers, AnswersView } from '../../contracts/answers.decorator.ts';
import { ViewGuards } from '../view-guards.ts';
import { View } from '../view.ts';
import type { ExposedQuery } from '../exposed-view.ts';
import { kindByHeader } from '../view-variants.ts';
import { exposedViews } from './exposed-views.ts';

const review = z
  .object({
    id: z.string(),
    authorId: z.string(),
    stars: z.int(),
    email: z
      .string()
      .nullable()
      .meta({ mask: { unless: 'parent.authorId == principal.id' } }),
  })
  .meta({ id: 'ExposedReview', description: 'What somebody thinks of it.' });
const product = z
  .object({ id: z.string(), title: z.string(), price: z.number() })
  .meta({ id: 'ExposedProduct' });
const shop = httpUpstream('shop');
const getProduct = shop.get<{ id: string }, z.output<typeof product>>('shop.product', '/products/{id}', {
  decode: product,
  cache: { ttl: '1m', scope: 'principal' },
});
const getReview = shop.get<{ id: string }, z.output<typeof review>>('shop.review', '/reviews/{id}', {
  decode: review,
  cache: { ttl: '1m', scope: 'principal' },
  batch: { path: '/reviews', ids: 'ids', max: 10, list: 'items', key: ({ id }) => id },
});

const ProductPage = View.define('ExposedPage')
  .input<{ id: string }>()
  .required('product', getProduct, ({ input }) => ({ id: input.id }))
  .list('reviews', getReview, () => [{ id: '1' }, { id: '2' }])
  .section('stock', ({ input }) => Promise.resolve({ left: input.id.length }))
  .variants(kindByHeader('x-device'), { tv: (page) => page.without('reviews') })
  .expose({
    rest: '/api/exposed-page/{id}',
    graphql: { query: 'exposedPage', description: 'A product.', typeDescription: 'All about a product.' },
    params: { id: z.string().max(4) },
    policies: { authentication: { schemes: ['jwt'] }, authorization: { anyRole: ['user'] }, deadline: '5s' },
    sections: { stock: z.object({ left: z.int() }) },
    summary: 'Show a product',
  });

const DATA: Readonly<Record<string, unknown>> = {
  '/products/p1': { id: 'p1', title: 'Lamp', price: 9.5 },
  '/reviews': {
    items: [
      { id: '1', authorId: 'ada', stars: 5, email: 'ada@example.com' },
      { id: '2', authorId: 'bob', stars: 1, email: 'bob@example.com' },
    ],
  },
};
let upstream: Server;
let asked: string[] = [];
const identify: StageFactory = {
  policy: policyRegistry.authentication,
  compile: () => ({
    enter(exchange: Exchange) {
      exchange.principal ??= testPrincipal(String(exchange.request.headers['x-test-user']));
    },
  }),
};
const authorize: StageFactory = {
  policy: policyRegistry.authorization,
  compile: (input) => new AuthorizationStageFactory().compile(input),
};
const start = (modules: readonly DynamicModule[]): Promise<BffApp> =>
  startBff({
    modules,
    factories: [identify, authorize],
    door: { authentication: { schemes: ['jwt'] } },
    upstreams: JSON.stringify({
      shop: { targets: [`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`] },
    }),
  });
const pages = { module: class PagesModule {}, imports: [CallsModule, exposedViews(ProductPage)] };

let bff: BffApp;
beforeAll(async () => {
  upstream = createServer(({ url = '' }, response) => {
    asked.push(url);
    const found = DATA[url.split('?')[0] ?? ''];
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? {}));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  bff = await start([pages]);
});
afterAll(async () => {
  await bff.stop();
  await new Promise((resolve) => upstream.close(resolve));
});

const rest = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${bff.url}/api/exposed-page/${path}`, { headers: { 'x-test-user': 'ada', ...headers } });
const QUERY = `query ($id: ID!) { exposedPage(id: $id) {
  product { id title price } reviews { id authorId stars email } stock { left } } }`;
const graphql = (id: string, query = QUERY) =>
  postTo(bff.url, { query, variables: { id } }, { 'x-test-user': 'ada' });

const WHOLE = {
  product: { id: 'p1', title: 'Lamp', price: 9.5 },
  reviews: [
    { id: '1', authorId: 'ada', stars: 5, email: 'ada@example.com' },
    { id: '2', authorId: 'bob', stars: 1, email: null },
  ],
  stock: { left: 2 },
};

describe('a view that is exposed', () => {
  it('is the same over REST and GraphQL, masks of its schemas included', async () => {
    expect(await (await rest('p1')).json()).toEqual(WHOLE);
    expect((await graphql('p1')).body).toEqual({ data: { exposedPage: WHOLE } });
  });

  it('is selected, tagged, streamed and shaped as by hand', async () => {
    expect(await (await rest('p1?fields=stock')).json()).toEqual({ stock: { left: 2 } });
    const tagged = await rest('p1?fields=product');
    expect(tagged.headers.get('cache-control')).toMatch(/^private, max-age=/);
    const again = await rest('p1?fields=product', { 'if-none-match': tagged.headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
    expect(Object.keys((await (await rest('p1', { 'x-device': 'tv' })).json()) as object)).toEqual([
      'product',
      'stock',
    ]);
    const lines = (await (await rest('p1', { accept: 'application/x-ndjson' })).text()).trim().split('\n');
    expect(lines).toHaveLength(4);
  });

  it('makes only the calls of what is selected, and one for all elements of a list', async () => {
    asked = [];
    await graphql('p1', 'query ($id: ID!) { exposedPage(id: $id) { stock { left } } }');
    expect(asked).toEqual([]);
    await rest('p1', { 'x-test-user': 'bob' });
    expect(asked).toEqual(['/products/p1', '/reviews?ids=1,2']);
  });

  it('refuses a parameter that is wrong, on both faces', async () => {
    const response = await rest('p1234');
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'request-invalid' }]);
    expect((await graphql('p1234')).body.errors?.[0]?.extensions).toMatchObject({ code: 'request-invalid' });
  });

  it('is a route with the policies that it says, under the name of its view', () => {
    const [Controller] = exposedViews(ProductPage).controllers ?? [];
    expect(controllerRoutes([Controller as never])).toMatchObject([
      {
        id: 'exposedPage.show',
        match: { methods: ['GET'], path: '/api/exposed-page/{id}' },
        policies: [{}, { authentication: { schemes: ['jwt'] }, authorization: { anyRole: ['user'] } }],
      },
    ]);
  });

  it('has types made of its schemas', () => {
    const { schema } = bff.app.get(GraphQLSchemaHost);
    const printed = ['ExposedPage', 'ExposedReview'].map((name) => printType(schema.getType(name) as never));
    expect(printed.join('\n')).toBe(`"""All about a product."""
type ExposedPage {
  product: ExposedProduct!
  reviews: [ExposedReview]
  stock: ExposedPageStock
}
"""What somebody thinks of it."""
type ExposedReview {
  id: ID!
  authorId: ID!
  stars: Int!
  email: String
}`);
  });
});

describe('a view that cannot be exposed', () => {
  const Plain = View.define('Plain').input<object>();

  it('is a fault when a section has no schema', () => {
    const page = Plain.section('one', () => Promise.resolve(1)).expose({ rest: '/plain', graphql: 'plain' });
    expect(() => exposedViews(page)).toThrow(/Plain\.one has no schema/);
  });

  it('is a fault when its schemas have masks that nobody would keep', () => {
    const sections = { one: z.object({ a: z.array(z.object({ b: review })) }) };
    const source = () => Promise.resolve({ a: [] });
    const page = Plain.section('one', source).expose({ rest: '/plain', sections: sections as never });
    expect(() => exposedViews(page)).toThrow(/Plain\.one\.a\[\]\.b\.email: a mask of a schema/);
  });

  it('is a fault where there is no door of GraphQL that its masks would hold by', async () => {
    const { module: ExposedModule } = exposedViews(ProductPage);
    const bare = { module: ExposedModule, providers: [ViewGuards] };
    const starting = NestFactory.createApplicationContext(bare, { logger: false, abortOnError: false });
    await expect(starting).rejects.toThrow(/ExposedPage\.reviews\.email: nobody would keep the mask/);
  });

  it('is a fault when a handler of a team answers with masks', () => {
    const Reviews = View.define('Reviews')
      .input<object>()
      .section('one', getReview, () => ({ id: '1' }));
    expect(() => AnswersView(Reviews)).toThrow(/Reviews\.one\.email: a mask of a schema/);
    expect(() => Answers(z.object({ all: z.array(review) }))).toThrow(/the answer\.all\[\]\.email/);
  });

  it('is a fault when two schemas have one name', () => {
    const other = z.object({ id: z.string() }).meta({ id: 'ExposedProduct' });
    const sections = { one: z.object({ other }) };
    const page = Plain.section('one', () => Promise.resolve({ other: { id: '' } })).expose({
      rest: '/plain',
      graphql: 'plainTwice',
      sections,
      policies: { authentication: { schemes: ['jwt'] } },
    });
    expect(() => exposedViews(page)).toThrow(
      /Plain\.one\.other is called ExposedProduct, as is ExposedPage\.product;/,
    );
  });

  const guarded = (graphql: string | ExposedQuery) =>
    Plain.section('one', () => Promise.resolve(1)).expose({
      rest: '/plain',
      graphql,
      policies: {
        authentication: { schemes: ['jwt'] },
        ipAccess: { allow: ['10.0.0.0/8'] },
        transform: { response: { maskFields: ['one'] } },
        deadline: '1s',
      },
      sections: { one: z.int() },
    });

  it('is a fault when what guards its route would not hold on its query', () => {
    expect(() => exposedViews(guarded('plainGuarded'))).toThrow(
      'the view Plain: "ipAccess", "transform" would not hold on its query "plainGuarded": say what does, `graphql: { query, policies }`, or leave out `graphql`',
    );
    const policies = { authorization: { anyRole: ['staff'] } };
    expect(() => exposedViews(guarded({ query: 'plainGuarded', policies }))).not.toThrow();
  });

  it('is a fault when no policy has a name', () => {
    const page = Plain.section('one', () => Promise.resolve(1)).expose({
      rest: '/plain',
      policies: { ratelimit: {} } as never,
    });
    expect(() => exposedViews(page)).toThrow(/there is no policy "ratelimit"/);
  });
});

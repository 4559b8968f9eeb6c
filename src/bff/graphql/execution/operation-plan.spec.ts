import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Args, Field, ID, Int, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Subscription } from '@nestjs/graphql';
import { createClient } from 'graphql-ws';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { startUpstream, type TestUpstream } from '../../../../test/support/upstream.ts';
import { Caller } from '../../../calls/caller.ts';
import { CallsModule } from '../../../calls/calls.module.ts';
import { httpUpstream } from '../../../calls/http-upstream.ts';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { policyRegistry } from '../../../policies/order.ts';
import type { StageFactory } from '../../../policies/stage-factory.ts';
import { startBff, testPrincipal, type BffApp } from '../../bff-app.fixture.ts';
import { View } from '../../view.ts';
import type { ViewRun } from '../../view-run.ts';
import { Views } from '../../views.ts';
import { ViewsModule } from '../../views.module.ts';
import { Calls } from '../fields/calls.decorator.ts';
import { Cost } from '../documents/cost.decorator.ts';
import { getFrom, postTo } from '../graphql-client.fixture.ts';
import { sha256 } from '../documents/trusted-documents.ts';
import { ViewResolver } from '../fields/view-resolver.ts';

interface Thing {
  readonly id: string;
}

const decode = z.object({ id: z.string() });
const things = httpUpstream('things');
const getThing = things.get<Thing, Thing>('plan.thing', '/things/{id}', { decode, memo: true });
const getAuthor = things.get<Thing, Thing>('plan.author', '/authors/{id}', {
  decode,
  batch: { path: '/authors', ids: 'ids', max: 10, key: ({ id }) => id },
});
const getBroken = things.get<object, Thing>('plan.broken', '/broken', {
  decode,
  fallback: () => ({ id: 'stand-in' }),
});

const Page = View.define('PlanPage')
  .input<Thing>()
  .required('main', getThing, ({ input }) => input)
  .section('same', getThing, ({ input }) => input)
  .section('broken', getBroken, () => ({}));

@ObjectType('PlanThing')
class ThingType {
  @Field(() => ID)
  id!: string;
}

@ObjectType('PlanPage')
class PageType {
  @Field(() => ThingType)
  main!: ThingType;
  @Field(() => ThingType, { nullable: true })
  same!: ThingType | null;
  @Field(() => ThingType, { nullable: true })
  broken!: ThingType | null;
}

@ViewResolver(Page, () => PageType)
class PageResolver {
  constructor(private readonly views: Views) {}

  @Query(() => PageType)
  page(@CurrentExchange() exchange: Exchange): ViewRun {
    return this.views.start(Page, { id: '1' }, exchange);
  }
}

@ObjectType('PlanItem')
class ItemType {
  @Field(() => ID)
  id!: string;
}

@Resolver(() => ItemType)
class ItemResolver {
  constructor(private readonly caller: Caller) {}

  @Query(() => [ItemType])
  items(@Args('first', { type: () => Int }) first: number): readonly ItemType[] {
    return Array.from({ length: first }, (_, index) => ({ id: String(index) }));
  }

  @Calls(getAuthor)
  @Cost({ weight: 2 })
  @ResolveField(() => ThingType)
  author(@Parent() { id }: ItemType, @CurrentExchange() exchange: Exchange): Promise<Thing> {
    return this.caller.call(getAuthor, { id }, { exchange, timeoutMs: Infinity });
  }

  @Subscription(() => ItemType)
  async *added(): AsyncGenerator<{ added: ItemType }> {
    for (const id of ['7', '7']) yield await Promise.resolve({ added: { id } });
  }
}

const TRUSTED = '{ page { main { id } } }';
const PLAN = { 'x-gatehouse-plan': '1' };
const ADMIN = { ...PLAN, 'x-test-role': 'admin' };

/** Who says so is an admin, else a user. */
const identify: StageFactory = {
  policy: policyRegistry.authentication,
  compile: () => ({
    enter(exchange: Exchange) {
      const role = exchange.request.headers['x-test-role'];
      if (typeof role === 'string') exchange.principal = { ...testPrincipal('ada'), roles: [role] };
    },
  }),
};

let folder: string;
let upstream: TestUpstream;
let bff: BffApp;
let silent: BffApp;
const start = (plan?: { anyRole: string[] }): Promise<BffApp> =>
  startBff({
    factories: [identify],
    upstreams: JSON.stringify({ things: { targets: [upstream.url], retry: { attempts: 1 } } }),
    graphql: { trustedDocuments: { path: folder, only: false }, ...(plan && { plan }) },
    modules: [
      {
        module: class PlanModule {},
        imports: [ViewsModule, CallsModule],
        providers: [PageResolver, ItemResolver],
      },
    ],
  });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-documents-'));
  await writeFile(join(folder, 'trusted.graphql'), TRUSTED);
  upstream = await startUpstream((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://things');
    const ids = searchParams.get('ids')?.split(',');
    const answer = ids?.map((id) => ({ id })) ?? { id: pathname.split('/')[2] };
    response.writeHead(pathname === '/broken' ? 503 : 200).end(JSON.stringify(answer));
  });
  bff = await start({ anyRole: ['admin', 'operator'] });
  silent = await start();
});
afterAll(() => Promise.all([bff.stop(), silent.stop(), upstream.stop(), rm(folder, { recursive: true })]));
beforeEach(() => void (upstream.requests.length = 0));

interface Plan {
  readonly document: unknown;
  readonly execution: string;
  readonly cost: { readonly fields: readonly unknown[] };
  readonly calls: readonly { readonly path: unknown; readonly attempts: readonly string[] }[];
}

async function planOf(body: object, headers: Record<string, string> = ADMIN): Promise<Plan> {
  const answer = await postTo(bff.url, body, headers);
  return answer.body.extensions?.['plan'] as Plan;
}

describe('the plan of an operation', () => {
  it('tells which calls were really made, where, and what became of them', async () => {
    const query = '{ first: page { main { id } copy: same { id } broken { id } } }';
    for (let run = 0; run < 5; run += 1) {
      const { calls } = await planOf({ query });
      const common = { upstream: 'things', startMs: expect.any(Number), durationMs: expect.any(Number) };
      expect(calls).toEqual([
        {
          ...common,
          call: 'plan.thing',
          source: 'upstream',
          section: 'PlanPage.main',
          path: ['first', 'main'],
          attempts: ['200'],
          outcome: 'ok',
        },
        {
          ...common,
          call: 'plan.thing',
          source: 'memo',
          section: 'PlanPage.same',
          path: ['first', 'copy'],
          attempts: [],
          outcome: 'ok',
        },
        {
          ...common,
          call: 'plan.broken',
          source: 'fallback',
          section: 'PlanPage.broken',
          path: ['first', 'broken'],
          attempts: ['503'],
          outcome: 'ok',
          because: 'upstream-rejected',
        },
      ]);
    }
  });

  it('tells the calls of plain resolvers and their batches, element by element', async () => {
    const { calls } = await planOf({ query: '{ items(first: 3) { author { id } } }' });
    expect(calls.map(({ path }) => path)).toEqual([0, 1, 2].map((at) => ['items', at, 'author']));
    for (const one of calls)
      expect(one).toMatchObject({ call: 'plan.author', source: 'batch', outcome: 'ok' });
    expect(calls.flatMap(({ attempts }) => attempts)).toEqual(['200']);
    expect(upstream.requests.map(({ url }) => url)).toEqual(['/authors?ids=0,1,2']);
  });

  it('tells what each field costs, by the variables of the request', async () => {
    const query =
      'query Q($n: Int!) { all: items(first: $n) { ...I } page { __typename } } fragment I on PlanItem { id author { id } }';
    const { cost } = await planOf({ query, variables: { n: 4 } });
    expect(cost.fields).toEqual([
      { path: ['all'], cost: 16 },
      { path: ['all', 'author'], cost: 12 },
      { path: ['page'], cost: 1 },
    ]);
  });

  it('tells where the document came from, and how it was run', async () => {
    const query = `{ here: page { main { id } } }`;
    const hash = sha256(query);
    expect(await planOf({ query })).toMatchObject({
      document: { hash, source: 'new' },
      execution: 'interpreted',
    });
    for (let run = 0; run < 3; run += 1) await planOf({ query });
    expect(await planOf({ query })).toMatchObject({
      document: { hash, source: 'cached' },
      execution: 'compiled',
    });
    const extensions = { persistedQuery: { version: 1, sha256Hash: hash } };
    await planOf({ query, extensions });
    expect((await planOf({ extensions })).document).toEqual({ hash, source: 'persisted' });
    expect(await planOf({ documentId: sha256(TRUSTED) })).toMatchObject({
      document: { hash: sha256(TRUSTED), source: 'trusted' },
      execution: 'compiled',
    });
  });

  it('can be asked for in the request itself, and is never kept', async () => {
    const body = { query: TRUSTED, extensions: { plan: true } };
    expect(await planOf(body, { 'x-test-role': 'operator' })).toHaveProperty('calls');
    const documentId = sha256(TRUSTED);
    const { headers, body: got } = await getFrom(bff.url, { documentId }, ADMIN);
    expect([headers.get('cache-control'), got.extensions]).toEqual([
      'no-store',
      { plan: expect.objectContaining({ calls: expect.any(Array) }) },
    ]);
  });

  it('is shown to nobody else, without a word', async () => {
    const query = '{ page { main { id } } }';
    const body = { query, extensions: { plan: true } };
    const whole = { data: { page: { main: { id: '1' } } } };
    expect((await postTo(bff.url, { query }, { 'x-test-role': 'admin' })).body).toEqual(whole);
    expect((await postTo(bff.url, { query }, { ...ADMIN, 'x-gatehouse-plan': '0' })).body).toEqual(whole);
    expect((await postTo(bff.url, body, { ...PLAN, 'x-test-role': 'user' })).body).toEqual(whole);
    expect((await postTo(bff.url, body, PLAN)).body).toEqual(whole);
    expect((await postTo(silent.url, body, ADMIN)).body).toEqual(whole);
    expect(
      (await postTo(bff.url, { query, extensions: { plan: 'true' } }, { 'x-test-role': 'admin' })).body,
    ).toEqual(whole);
  });

  it('comes with what else the answer shows, and not with a refusal', async () => {
    const { body } = await postTo(bff.url, { query: '{ page { broken { id } } }' }, ADMIN);
    expect(Object.keys(body.extensions ?? {}).sort()).toEqual(['degraded', 'plan']);
    const refused = await postTo(bff.url, { query: '{ nope }' }, ADMIN);
    expect(refused.body.extensions).toBeUndefined();
  });

  it('comes over a socket too', async () => {
    class AdminSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers: { 'x-test-role': 'admin' } });
      }
    }
    const url = `${bff.url.replace('http', 'ws')}/graphql`;
    const client = createClient({ url, webSocketImpl: AdminSocket, retryAttempts: 0 });
    const answers = [];
    for await (const answer of client.iterate({ query: TRUSTED, extensions: { plan: true } }))
      answers.push(answer);
    expect(answers).toMatchObject([{ extensions: { plan: { calls: [{ path: ['page', 'main'] }] } } }]);
    const plain = [];
    for await (const answer of client.iterate({ query: TRUSTED })) plain.push(answer);
    expect(plain).toEqual([{ data: { page: { main: { id: '1' } } } }]);
    const query = 'subscription { added { author { id } } }';
    const events = [];
    for await (const answer of client.iterate({ query, extensions: { plan: true } })) events.push(answer);
    const author = { call: 'plan.author', source: 'upstream', path: ['added', 'author'], attempts: ['200'] };
    const event = { data: { added: { author: { id: '7' } } }, extensions: { plan: { calls: [author] } } };
    expect(events).toMatchObject([event, event]);
    await client.dispose();
  });
});

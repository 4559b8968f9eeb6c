import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Field, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { z } from 'zod';
import {
  startNotifications,
  type NotificationsService,
} from '../../../../examples/services/notifications.ts';
import { startUpstream, type TestUpstream } from '../../../../test/support/upstream.ts';
import { Caller } from '../../../calls/caller.ts';
import { CallsModule } from '../../../calls/calls.module.ts';
import { httpUpstream } from '../../../calls/http-upstream.ts';
import { watchNotifications } from '../../../routes/services/notifications.calls.ts';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { Cache } from '../../../policies/cache/cache.policy.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { View } from '../../view.ts';
import type { ViewRun } from '../../view-run.ts';
import { kindByHeader } from '../../view-variants.ts';
import { Views } from '../../views.ts';
import { ViewsModule } from '../../views.module.ts';
import { getFrom, postTo } from '../graphql-client.fixture.ts';
import { sha256 } from '../documents/trusted-documents.ts';
import { ViewResolver } from '../fields/view-resolver.ts';

const decode = z.object({ name: z.string() });
const things = httpUpstream('things');
const kept = (name: string, ttl: '20s' | '1m', scope: 'public' | 'principal') =>
  things.get<object, { name: string }>(`fresh.${name}`, `/${name}`, { decode, cache: { ttl, scope } });
const getShort = kept('short', '20s', 'public');
const getLong = kept('long', '1m', 'public');
const getMine = kept('mine', '1m', 'principal');
const getLoose = things.get<object, { name: string }>('fresh.loose', '/loose', { decode });
const getBroken = things.get<object, { name: string }>('fresh.broken', '/broken', { decode });

const Page = View.define('FreshPage')
  .input<object>()
  .section('short', getShort, () => ({}))
  .section('long', getLong, () => ({}))
  .section('mine', getMine, () => ({}))
  .section('loose', getLoose, () => ({}))
  .section('broken', getBroken, () => ({}), { fallback: () => ({ name: 'stand-in' }) })
  .section('derived', async ({ get }) => ({ name: (await get('short'))?.name ?? '' }))
  .section('computed', () => ({ name: 'computed' }));
const Pages = Page.variants(kindByHeader('x-device'), { tv: (page) => page.without('mine') });

@ObjectType('FreshThing')
class ThingType {
  @Field()
  name!: string;
}

const nullable = { nullable: true };

@ObjectType('FreshPage')
class PageType {
  @Field(() => ThingType, nullable)
  short!: ThingType | null;
  @Field(() => ThingType, nullable)
  long!: ThingType | null;
  @Field(() => ThingType, nullable)
  mine!: ThingType | null;
  @Field(() => ThingType, nullable)
  loose!: ThingType | null;
  @Field(() => ThingType, nullable)
  broken!: ThingType | null;
  @Field(() => ThingType, nullable)
  derived!: ThingType | null;
  @Field(() => ThingType, nullable)
  computed!: ThingType | null;
}

@ViewResolver(Pages, () => PageType)
class PageResolver {
  constructor(
    private readonly views: Views,
    private readonly caller: Caller,
  ) {}

  @Query(() => PageType)
  page(@CurrentExchange() exchange: Exchange): ViewRun {
    return this.views.start(Pages, {}, exchange);
  }

  @ResolveField(() => String)
  async aside(@CurrentExchange() exchange: Exchange): Promise<string> {
    return (await this.caller.call(getLoose, {}, { exchange, timeoutMs: Infinity })).name;
  }

  @ResolveField(() => String, { nullable: true })
  async streamed(@CurrentExchange() exchange: Exchange): Promise<string | undefined> {
    const stream = this.caller.stream(watchNotifications, { backlog: 1, count: 1 }, { exchange });
    return (await stream.next()).value?.id;
  }
}

@Resolver()
class PlainResolver {
  constructor(private readonly caller: Caller) {}

  @Cache({ ttl: '30s', scope: 'public' })
  @Query(() => String)
  hinted(): string {
    return 'hinted';
  }

  @Cache({ ttl: '50s', scope: 'public' })
  @Query(() => String)
  async made(@CurrentExchange() exchange: Exchange): Promise<string> {
    return (await this.caller.call(getShort, {}, { exchange, timeoutMs: Infinity })).name;
  }

  @Cache({ ttl: '50s', scope: 'public' })
  @Query(() => String)
  async vouched(@CurrentExchange() exchange: Exchange): Promise<string> {
    return (await this.caller.call(getLoose, {}, { exchange, timeoutMs: Infinity })).name;
  }

  @Cache('off')
  @Query(() => String)
  never(): string {
    return 'never';
  }

  @Query(() => String)
  silent(): string {
    return 'silent';
  }
}

let upstream: TestUpstream;
let service: NotificationsService;
let bff: BffApp;
beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    response.writeHead(request.url === '/broken' ? 404 : 200).end(`{"name":"${request.url}"}`);
  });
  service = await startNotifications();
  const notifications = { protocol: 'grpc', targets: [service.url] };
  bff = await startBff({
    upstreams: JSON.stringify({ things: { targets: [upstream.url] }, notifications }),
    modules: [
      {
        module: class FreshModule {},
        imports: [ViewsModule, CallsModule],
        providers: [PageResolver, PlainResolver],
      },
    ],
  });
});
afterAll(async () => {
  await bff.stop();
  await Promise.all([upstream.stop(), service.stop()]);
});

const learned = new Set<string>();

async function ask(query: string, headers: Record<string, string> = {}) {
  const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(query) } };
  if (!learned.has(query)) await postTo(bff.url, { query, extensions });
  learned.add(query);
  const url = `${bff.url}/graphql?extensions=${encodeURIComponent(JSON.stringify(extensions))}`;
  return fetch(url, { headers });
}

async function cacheOf(query: string, headers: Record<string, string> = {}): Promise<string | null> {
  return (await ask(query, headers)).headers.get('cache-control');
}

/** The seconds of a value that has been kept for a moment are a few less than its lifetime. */
const about = (scope: string, seconds: number) =>
  expect.stringMatching(
    new RegExp(
      `^${scope}, max-age=(${Array.from({ length: 10 }, (_, waited) => seconds - waited).join('|')})$`,
    ),
  );

describe('the cache header of a view over GraphQL', () => {
  beforeEach(() => void (upstream.requests.length = 0));

  it('is the shortest of the calls that the selected sections make', async () => {
    expect(await cacheOf('{ page { long { name } } }')).toEqual(about('public', 60));
    expect(await cacheOf('{ page { long { name } short { name } } }')).toEqual(about('public', 20));
    expect(await cacheOf('{ page { long { name } derived { name } } }')).toEqual(about('public', 20));
    expect(await cacheOf('{ page { long { name } computed { name } } }')).toEqual(about('public', 60));
  });

  it('is private for parts of a principal, and for everybody who is known', async () => {
    expect(await cacheOf('{ page { mine { name } } }')).toEqual(about('private', 60));
    expect(await cacheOf('{ page { long { name } } }', { 'x-test-user': 'ada' })).toEqual(
      about('private', 60),
    );
  });

  it('forbids to keep what nobody knows to be fresh', async () => {
    for (const query of [
      '{ page { long { name } loose { name } } }',
      '{ page { long { name } broken { name } } }',
      '{ page { computed { name } } }',
      '{ page { long { name } aside } }',
      '{ page { __typename } }',
      '{ page { long { name } } silent }',
      '{ silent }',
      '{ hinted never }',
      '{ __typename }',
      '{ silent @skip(if: true) }',
    ]) {
      expect([query, await cacheOf(query)]).toEqual([query, 'no-store']);
    }
  });

  it('forbids to keep values of a stream, which says nothing of how fresh they are', async () => {
    const user = { 'x-test-user': '2' };
    const answer = await ask('{ page { long { name } streamed } }', user);
    expect(await answer.json()).toMatchObject({ data: { page: { streamed: 'ntf-2-7' } } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('takes the hints of fields and what their calls allow together', async () => {
    expect(await cacheOf('{ hinted }')).toBe('public, max-age=30');
    expect(await cacheOf('{ hinted page { long { name } } }')).toBe('public, max-age=30');
    expect(await cacheOf('{ made }')).toEqual(about('public', 20));
    expect(await cacheOf('{ vouched }')).toBe('public, max-age=50');
    // Whose call it was is not known, so the view that declares nothing decides.
    expect(await cacheOf('{ vouched page { long { name } } }')).toBe('no-store');
  });

  it('tells caches what the answer depends on, the kind of client included', async () => {
    const { headers } = await ask('{ page { long { name } } }', { 'x-device': 'tv' });
    expect(headers.get('vary')?.split(', ').sort()).toEqual(
      ['accept', 'authorization', 'cookie', 'x-api-key', 'x-device'].sort(),
    );
    const plain = await ask('{ hinted }');
    expect(plain.headers.get('vary')).not.toContain('x-device');
  });

  it('comes with a validator, and without a body for who has the answer', async () => {
    const first = await ask('{ hinted }');
    const etag = String(first.headers.get('etag'));
    expect(await first.json()).toEqual({ data: { hinted: 'hinted' } });
    const again = await ask('{ hinted }', { 'if-none-match': etag });
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    expect(again.headers.get('cache-control')).toBe('public, max-age=30');
    expect((await ask('{ hinted }', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('is not there for a text in the address, nor for a POST', async () => {
    expect((await getFrom(bff.url, { query: '{ hinted }' })).headers.get('cache-control')).toBeNull();
    expect((await postTo(bff.url, { query: '{ hinted }' })).headers.get('cache-control')).toBeNull();
  });
});

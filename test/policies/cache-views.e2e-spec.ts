import { beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Res, type StreamableFile } from '@nestjs/common';
import { Field, ObjectType, Query } from '@nestjs/graphql';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Mask } from '../../src/bff/graphql/fields/mask.decorator.ts';
import { ViewResolver } from '../../src/bff/graphql/fields/view-resolver.ts';
import type { OperationContext } from '../../src/bff/graphql/execution/operation-context.ts';
import type { ViewRun } from '../../src/bff/view-run.ts';
import { View } from '../../src/bff/view.ts';
import { Views } from '../../src/bff/views.ts';
import { ViewsModule } from '../../src/bff/views.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { AnswersView } from '../../src/contracts/answers.decorator.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Cache } from '../../src/policies/cache/cache.policy.ts';
import type { Answer } from '../support/client.ts';
import { useShop, type ShopCall } from '../support/shop.ts';

/** What is shown, which changes with each run of a view. */
const shown = { runs: 0 };
const getPart = httpUpstream('echo').get<object, string>('echo.part', '/part', {
  decode: z.string(),
  cache: { ttl: '1m', scope: 'public' },
});
const Page = View.define('Page')
  .input<object>()
  .required('part', getPart, () => ({}))
  .section('runs', () => (shown.runs += 1))
  .section('pin', () => 's3cret');

@ObjectType('Page')
class PageType {
  @Field(() => String)
  part!: string;
  @Field(() => Number, { nullable: true })
  runs!: number | null;
  @Mask({ unless: { anyRole: ['admin'] }, with: '****' })
  @Field(() => String, { nullable: true })
  pin!: string | null;
}

@ViewResolver(Page, () => PageType)
class PageResolver {
  constructor(private readonly views: Views) {}
  @Query(() => PageType, { nullable: true })
  page(_parent: unknown, _args: unknown, { exchange }: OperationContext): ViewRun {
    return this.views.start(Page, {}, exchange);
  }
}

type PageAnswer = Promise<object | StreamableFile | undefined>;

@Controller('pages')
@Cache({ ttl: '1h' })
class PagesController {
  constructor(private readonly views: Views) {}

  @Get('mine')
  @AnswersView(Page, {}, { streamed: true })
  mine(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply): PageAnswer {
    return this.views.answer(Page, {}, exchange, reply);
  }

  @Get('open')
  @Authentication('public')
  @Cache({ ttl: '1h', scope: 'public' })
  @AnswersView(Page, {}, { streamed: true })
  open(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply): PageAnswer {
    return this.views.answer(Page, {}, exchange, reply);
  }
}

@Module({
  imports: [ViewsModule],
  controllers: [PagesController],
  providers: [PageResolver],
})
class PagesModule {}

const holder = useShop({
  modules: [{ name: 'pages', module: PagesModule, graphql: true }],
  more: { modules: ['pages'] },
});

async function tokens(): Promise<{ readonly user: ShopCall; readonly admin: ShopCall }> {
  const { identity } = holder.shop.services;
  const bearer = async (who: 'user' | 'admin') => ({
    headers: { authorization: `Bearer ${await identity.token(who)}` },
  });
  return { user: await bearer('user'), admin: await bearer('admin') };
}

const ask = (path: string, call?: ShopCall): Promise<Answer> => holder.shop.call(`/pages/${path}`, call);

beforeEach(() => {
  holder.shop.echo.listener = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end('"part"');
});

describe('a view over REST', () => {
  it('is stored for its caller, and masked for it', async () => {
    const { user, admin } = await tokens();
    const seen: Answer[] = [];
    for (const call of [admin, user, admin, user]) seen.push(await ask('mine', call));
    expect(seen.map(({ headers }) => headers['x-cache'])).toEqual([undefined, undefined, 'HIT', 'HIT']);
    expect(seen.map(({ text }) => text.includes('s3cret'))).toEqual([true, false, true, false]);
    expect(seen[3]?.text).toBe(seen[1]?.text);
    expect(seen[1]?.json()).toMatchObject({ pin: '****' });
    expect(seen[2]?.headers['cache-control']).toMatch(/^private, max-age=\d+$/);
    expect(seen[2]?.headers['vary']).toContain('accept');
    expect(seen[2]?.headers).not.toHaveProperty('server-timing');
  });

  it('is not shared where its parts are masked for some', async () => {
    const { admin } = await tokens();
    const first = await ask('open');
    expect(first.headers['cache-control']).toMatch(/^private/);
    expect((await ask('open')).headers).not.toHaveProperty('x-cache');
    // The credential is not looked at, so that nobody is an admin.
    expect((await ask('open', admin)).text).not.toContain('s3cret');
  });

  it('is stored for who has it already, and told by 304', async () => {
    const { user } = await tokens();
    const query = 'mine?fields=part,pin';
    const { etag } = (await ask(query, user)).headers;
    const { user: again } = await tokens();
    const known = { headers: { ...again.headers, 'if-none-match': String(etag) } };
    const first = await ask(query, known);
    expect([first.status, first.body.length, first.headers['cache-status']]).toEqual([
      304,
      0,
      'gatehouse; fwd=uri-miss; fwd-status=200; stored',
    ]);
    const second = await ask(query, known);
    expect([second.status, second.headers['x-cache']]).toEqual([304, 'HIT']);
    expect((await ask(query, again)).status).toBe(200);
  });

  it('is not stored section by section, and each form is its own', async () => {
    const { user } = await tokens();
    const lines = { headers: { ...user.headers, accept: 'application/x-ndjson' } };
    await ask('mine', user);
    for (let i = 0; i < 2; i += 1) {
      const answer = await ask('mine', lines);
      expect(answer.headers).not.toHaveProperty('x-cache');
      expect(answer.text).toContain('"done":true');
    }
    expect((await ask('mine', user)).headers['x-cache']).toBe('HIT');
  });

  it('is still fresh over GraphQL as its fields say', async () => {
    const query = encodeURIComponent('{ page { part pin } }');
    const answer = await holder.shop.call(`/graphql?query=${query}`, { as: 'user' });
    expect(answer.json()).toEqual({ data: { page: { part: 'part', pin: '****' } } });
    expect(answer.headers).not.toHaveProperty('cache-status');
  });
});

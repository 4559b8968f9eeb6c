import { beforeEach, expect, it } from '@jest/globals';
import { Controller, Get, Module, Res, type StreamableFile } from '@nestjs/common';
import { Field, ObjectType, Query } from '@nestjs/graphql';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { OperationContext } from '../../src/bff/graphql/execution/operation-context.ts';
import { Mask } from '../../src/bff/graphql/fields/mask.decorator.ts';
import { ViewResolver } from '../../src/bff/graphql/fields/view-resolver.ts';
import type { ViewRun } from '../../src/bff/view-run.ts';
import { View } from '../../src/bff/view.ts';
import { Views } from '../../src/bff/views.ts';
import { ViewsModule } from '../../src/bff/views.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { AnswersView } from '../../src/contracts/answers.decorator.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { When } from '../../src/policies/authorization/authorization.policy.ts';
import { Cache } from '../../src/policies/cache/cache.policy.ts';
import { useShop } from '../support/shop.ts';

/** Of parts that a caller may see from some addresses, and until some time. */
const getPart = httpUpstream('echo').get<object, string>('echo.site', '/part', {
  decode: z.string(),
  cache: { ttl: '1m', scope: 'public' },
});
const Site = View.define('Site')
  .input<object>()
  .required('part', getPart, () => ({}))
  .section('inside', () => 's3cret')
  .section('desk', () => 's3cret')
  .section('early', () => 's3cret');

@ObjectType('Site')
class SiteType {
  @Field(() => String)
  part!: string;
  @When("client.ip.startsWith('10.')")
  @Field(() => String, { nullable: true })
  inside!: string | null;
  @Mask({
    unless: { when: "client.ip == '10.0.0.1' || now < timestamp('2001-01-01T00:00:00Z')" },
    with: '****',
  })
  @Field(() => String, { nullable: true })
  desk!: string | null;
  @When("now > timestamp('2001-01-01T00:00:00Z')")
  @Field(() => String, { nullable: true })
  early!: string | null;
}

@ViewResolver(Site, () => SiteType)
class SiteResolver {
  constructor(private readonly views: Views) {}
  @Query(() => SiteType, { nullable: true })
  site(_parent: unknown, _args: unknown, { exchange }: OperationContext): ViewRun {
    return this.views.start(Site, {}, exchange);
  }
}

@Controller('sites')
@Cache({ ttl: '1h' })
class SitesController {
  constructor(private readonly views: Views) {}

  @Get('one')
  @AnswersView(Site, {})
  one(
    @CurrentExchange() exchange: Exchange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | StreamableFile | undefined> {
    return this.views.answer(Site, {}, exchange, reply);
  }
}

@Module({ imports: [ViewsModule], controllers: [SitesController], providers: [SiteResolver] })
class SitesModule {}

const holder = useShop({
  modules: [{ name: 'sites', module: SitesModule, graphql: true }],
  more: { modules: ['sites'], trustedProxies: ['loopback'] },
});

beforeEach(() => {
  holder.shop.echo.listener = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end('"part"');
});

it.each(['inside', 'desk'])(
  'what a caller may see from some addresses is not stored for others (%s)',
  async (field) => {
    const authorization = `Bearer ${await holder.shop.services.identity.token('user')}`;
    const from = (address: string) =>
      holder.shop.call(`/sites/one?fields=part,${field}`, {
        headers: { authorization, 'x-forwarded-for': address },
      });
    const there = await from('10.0.0.1');
    expect([there.status, there.json()[field]]).toEqual([200, 's3cret']);
    // The same token, and so the same caller.
    const elsewhere = await from('203.0.113.9');
    expect(elsewhere.text).not.toContain('s3cret');
    expect(elsewhere.headers).not.toHaveProperty('x-cache');
  },
);

it('what a caller may see until some time is not stored for later', async () => {
  const authorization = `Bearer ${await holder.shop.services.identity.token('user')}`;
  const ask = () => holder.shop.call('/sites/one?fields=part,early', { headers: { authorization } });
  expect((await ask()).json()['early']).toBe('s3cret');
  expect((await ask()).headers).not.toHaveProperty('x-cache');
});

it('what does not depend on that is', async () => {
  const authorization = `Bearer ${await holder.shop.services.identity.token('user')}`;
  const ask = () => holder.shop.call('/sites/one?fields=part', { headers: { authorization } });
  await ask();
  expect((await ask()).headers['x-cache']).toBe('HIT');
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { Field, ObjectType, Query } from '@nestjs/graphql';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { View } from '../../view.ts';
import type { ViewRun } from '../../view-run.ts';
import { Views } from '../../views.ts';
import { ViewsModule } from '../../views.module.ts';
import { ViewResolver } from './view-resolver.ts';

const gone = (): Promise<string> => Promise.reject(new Problem('upstream-unreachable'));

const Page = View.define('Page')
  .input<{ id: string }>()
  .required('title', () => Promise.resolve('hello'))
  .section('feed', gone, { fallback: () => 'stand-in' })
  .section('ads', gone);

@ObjectType('Page')
class PageType {
  @Field()
  title!: string;

  @Field()
  feed!: string;

  @Field(() => String, { nullable: true })
  ads!: string | null;
}

@ViewResolver(Page, () => PageType)
class PageResolver {
  constructor(private readonly views: Views) {}

  @Query(() => PageType)
  page(@CurrentExchange() exchange: Exchange): ViewRun {
    return this.views.start(Page, { id: '1' }, exchange);
  }
}

class TooLittle {
  title!: string;
}

class TooSure {
  title!: string;
  feed!: string;
  ads!: string;
}

let bff: BffApp;
afterEach(() => bff.stop());

describe('the resolver of a view', () => {
  it('tells a fallback in extensions.degraded and a missing section in errors, under the names of the query', async () => {
    bff = await startBff({
      modules: [{ module: class PageModule {}, imports: [ViewsModule], providers: [PageResolver] }],
    });
    for (let run = 0; run < 6; run += 1) {
      const response = await fetch(`${bff.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ first: page { title news: feed ads } second: page { title } }' }),
      });
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toEqual({
        data: { first: { title: 'hello', news: 'stand-in', ads: null }, second: { title: 'hello' } },
        errors: [
          expect.objectContaining({
            path: ['first', 'ads'],
            extensions: expect.objectContaining({ code: 'upstream-unreachable' }),
          }),
        ],
        extensions: {
          degraded: [
            { section: 'feed', code: 'upstream-unreachable', via: 'fallback', path: ['first', 'news'] },
          ],
        },
      });
    }
  });

  it('is checked against the object type by the compiler', async () => {
    bff = await startBff({
      modules: [{ module: class PageModule {}, imports: [ViewsModule], providers: [PageResolver] }],
    });
    // @ts-expect-error - sections are missing
    ViewResolver(Page, () => TooLittle);
    // @ts-expect-error - a section without a fallback may be null
    ViewResolver(Page, () => TooSure);
    expect(bff.app.get(PageResolver)).toHaveProperty('section_title');
  });
});

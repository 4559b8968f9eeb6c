import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Field, Int, ObjectType, Query } from '@nestjs/graphql';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { View } from '../../view.ts';
import type { ViewRun } from '../../view-run.ts';
import { kindByHeader } from '../../view-variants.ts';
import { Views } from '../../views.ts';
import { ViewsModule } from '../../views.module.ts';
import { postTo } from '../graphql-client.fixture.ts';
import { ViewResolver } from './view-resolver.ts';

const asked: string[] = [];
const gone = (): Promise<string> => Promise.reject(new Problem('upstream-unreachable'));

const Profile = View.define('KindProfile')
  .input<{ id: string }>()
  .required('name', () => 'Ada')
  .section('motto', gone);

const Page = View.define('KindPage')
  .input<{ id: string }>()
  .required('title', ({ input }) => `page ${input.id}`)
  .section('items', () => (asked.push('items'), ['a', 'b', 'c']), { fallback: () => [] })
  .section('ads', () => (asked.push('ads'), ['buy']))
  .section('profile', Profile, ({ input }) => ({ id: input.id }))
  .section('stale', gone, { fallback: () => 'old' });

const Television = View.define('KindTelevision')
  .input<{ id: string }>()
  .required('title', () => 'television')
  .section('channels', () => 7, { fallback: () => 0 });

const Pages = Page.variants(kindByHeader('x-device'), {
  mobile: (page) =>
    page
      .pick('items', (items) => items.slice(0, 1))
      .pick('profile', (profile) =>
        profile === null ? null : { ...profile, name: profile.name.at(0) ?? '' },
      )
      .without('ads'),
  odd: (page) =>
    page.pick('ads', (): string[] => {
      throw new Error('the pick is broken');
    }),
  tv: Television,
});

@ObjectType('KindProfile')
class ProfileType {
  @Field()
  name!: string;

  @Field(() => String, { nullable: true })
  motto!: string | null;
}

@ObjectType('KindPage')
class PageType {
  @Field()
  title!: string;

  @Field(() => [String], { nullable: true })
  items!: readonly string[] | null;

  @Field(() => [String], { nullable: true })
  ads!: readonly string[] | null;

  @Field(() => ProfileType, { nullable: true })
  profile!: ProfileType | null;

  @Field(() => String, { nullable: true })
  stale!: string | null;

  @Field(() => Int, { nullable: true })
  channels!: number | null;
}

@ViewResolver(Profile, () => ProfileType)
class ProfileResolver {}

@ViewResolver(Pages, () => PageType)
class PageResolver {
  constructor(private readonly views: Views) {}

  @Query(() => PageType)
  page(@CurrentExchange() exchange: Exchange): ViewRun {
    return this.views.start(Pages, { id: '1' }, exchange);
  }
}

class Certain extends PageType {
  declare ads: readonly string[];
}

class Incomplete {
  title!: string;
  items!: readonly string[] | null;
}

const ALL = '{ page { title items ads profile { name motto } stale channels } }';
const providers = [ProfileResolver, PageResolver];
let bff: BffApp;
beforeAll(async () => {
  bff = await startBff({ modules: [{ module: class KindModule {}, imports: [ViewsModule], providers }] });
});
afterAll(() => bff.stop());
beforeEach(() => void (asked.length = 0));

const askAs = (device: string, query = ALL) => postTo(bff.url, { query }, { 'x-device': device });

describe('a view by kind of client over GraphQL', () => {
  it('is the view itself for clients of an unknown kind', async () => {
    for (let run = 0; run < 6; run += 1) {
      const { body, headers } = await askAs('toaster');
      expect(body.data?.['page']).toEqual({
        title: 'page 1',
        items: ['a', 'b', 'c'],
        ads: ['buy'],
        profile: { name: 'Ada', motto: null },
        stale: 'old',
        channels: null,
      });
      expect(body.errors?.map(({ path }) => path)).toEqual([['page', 'profile', 'motto']]);
      expect(headers.get('vary')).toBe('x-device');
    }
  });

  it('shows what is picked, and null without an error for what is left out and is not run', async () => {
    for (let run = 0; run < 6; run += 1) {
      const { body } = await askAs('mobile');
      expect(body).toEqual({
        data: {
          page: {
            title: 'page 1',
            items: ['a'],
            ads: null,
            profile: { name: 'A', motto: null },
            stale: 'old',
            channels: null,
          },
        },
        extensions: {
          degraded: [
            {
              section: 'profile.motto',
              code: 'upstream-unreachable',
              via: 'null',
              path: ['page', 'profile'],
            },
            { section: 'stale', code: 'upstream-unreachable', via: 'fallback', path: ['page', 'stale'] },
          ],
        },
      });
    }
    expect(asked).not.toContain('ads');
  });

  it('may be another view, whose sections are fields too', async () => {
    const { body, headers } = await askAs('TV', '{ a: page { title channels items } b: page { channels } }');
    expect(body).toEqual({
      data: { a: { title: 'television', channels: 7, items: null }, b: { channels: 7 } },
    });
    expect([asked, headers.get('vary')]).toEqual([[], 'x-device']);
  });

  it('tells a pick that fails as an error of its field', async () => {
    const { body } = await askAs('odd', '{ page { title ads } }');
    expect(body.data).toEqual({ page: { title: 'page 1', ads: null } });
    expect(body.errors).toMatchObject([{ path: ['page', 'ads'], extensions: { code: 'internal' } }]);
    expect(JSON.stringify(body)).not.toContain('broken');
  });

  it('is checked against the object type by the compiler', () => {
    // @ts-expect-error - a kind has no ads, so the field has to be nullable
    ViewResolver(Pages, () => Certain);
    // @ts-expect-error - the fields of some sections are missing
    ViewResolver(Pages, () => Incomplete);
    const counted = Page.variants(kindByHeader('x'), { mobile: (page) => page.pick('items', () => 3) });
    // @ts-expect-error - a number is no list
    ViewResolver(counted, () => PageType);
    expect(PageResolver.prototype).toHaveProperty('section_channels');
  });
});

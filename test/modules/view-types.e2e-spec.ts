import { beforeAll, describe, expect, it } from '@jest/globals';
import { typeErrors } from '../support/type-check.ts';

const COMPILE_MS = 180_000;

/** A module of a team as far as a view goes, in lines 1 to 15. */
const HEAD = `import { Field, ID, ObjectType } from '@nestjs/graphql';
import { z } from 'zod';
import { View } from 'SRC/bff/view.ts';
import { AnswersView } from 'SRC/contracts/answers.decorator.ts';
import { ViewResolver } from 'SRC/bff/graphql/fields/view-resolver.ts';
import { httpUpstream } from 'SRC/calls/http-upstream.ts';
const getUser = httpUpstream('users').get<{ id: string }, { id: string; name: string }>('t.get', '/users/{id}', { decode: z.object({ id: z.string(), name: z.string() }) });
const start = View.define('Page').input<{ userId: string }>();
const Page = start.required('user', getUser, ({ input }) => ({ id: input.userId })).section('ads', () => 'text');
@ObjectType() class UserType { @Field(() => ID) id!: string; @Field() name!: string; }
@ObjectType() class PageType { @Field(() => UserType) user!: UserType; @Field(() => String, { nullable: true }) ads!: string | null; }
@ObjectType() class Lacking { @Field(() => UserType) user!: UserType; }
@ObjectType() class NotNull { @Field(() => UserType) user!: UserType; @Field() ads!: string; }
@ObjectType() class Other { @Field(() => UserType) user!: UserType; @Field(() => Number, { nullable: true }) ads!: number | null; }
export const used = [getUser, start, Page, UserType, PageType, Lacking, NotNull, Other, AnswersView, ViewResolver, z];
`;
const LINE = HEAD.split('\n').length;

/** What does not compile: in its last line, and what has to be said with it. */
const WRONG: readonly (readonly [what: string, code: string, said: readonly string[]])[] = [
  ['an input that the call does not take', `start.required('user', getUser,\n({ input }) => ({ id: input.userId.length }));`, [`Type 'number' is not assignable to type 'string'`]],
  ['an input that the view has not', `start.section('friend', getUser,\n({ input }) => ({ id: input.usrId }));`, [`Property 'usrId' does not exist on type '{ userId: string; }'`]],
  ['a section that is not declared before', `Page.section('more',\n({ get }) => get('adds'));`, [`'"adds"' is not assignable to parameter of type '"ads" | "user"'`]],
  ['a fallback of another type', `start.section('feed', () => Promise.resolve([1]), {\nfallback: () => ['text'] });`, [`Type '() => string[]' is not assignable to type '() => number[]'`]],
  ['a fallback of a call, of another type', `start.section('user', getUser, ({ input }) => ({ id: input.userId }), {\nfallback: () => ({ id: '1' }) });`, [`Property 'name' is missing in type '{ id: string; }'`]],
  ['an input that a nested view does not take', `start.section('page', Page,\n() => ({ userid: '1' }));`, [`Type '{ userid: string; }' is not assignable to type 'Promised<{ userId: string; }>'`]],
  ['a fallback of a nested view', `start.section('page', Page, ({ input }) => input, {\nfallback: () => null });`, [`'fallback' does not exist in type 'SectionOptions'`]],
  ['a budget without a unit', `start.section('feed', () => 1, {\nbudget: '250' });`, [`Type '"250"' is not assignable to type`]],
  ['one input for a list', `start.list('users', getUser,\n({ input }) => ({ id: input.userId }));`, [`Type '{ id: string; }' is not assignable to type 'Promised<readonly { id: string; }[]>'`]],
  ['an input of a list that the call does not take', `start.list('users', getUser,\n({ input }) => [{ ident: input.userId }]);`, [`'ident' does not exist in type '{ id: string; }'`]],
  ['elements of another type', `start.list('users', getUser, ({ input }) => [{ id: input.userId }], {\nfallback: () => ['x'] });`, [`Type 'string' is not assignable to type '{ id: string; name: string; }'`]],
  ['a source that is none', `start.section('page',\n'text');`, [`Argument of type 'string' is not assignable`]],
  ['a fallback of a required section', `start.required('feed', () => 1, {\nfallback: () => 2 });`, [`'fallback' does not exist in type 'SectionOptions'`]],
  ['a name that is taken', `Page.section(\n'ads', () => 1);`, [`never`]],
  ['a schema for a section that there is not', `export class A { @AnswersView(Page, {\nadverts: z.string().nullable() }) show(): void {} }`, [`'adverts' does not exist in type`]],
  ['a schema of another type', `export class A { @AnswersView(Page, {\nads: z.number() }) show(): void {} }`, [`Type 'ZodNumber' is not assignable to type 'ZodType<string | null`]],
  ['an object type without a field', `@ViewResolver(Page,\n() => Lacking) export class A {}`, [`Property 'ads' is missing in type 'Lacking'`]],
  ['a field that cannot be null', `@ViewResolver(Page,\n() => NotNull) export class A {}`, [`Types of property 'ads' are incompatible`, `MustShow<string | null>`]],
  ['a field of another type', `@ViewResolver(Page,\n() => Other) export class A {}`, [`Types of property 'ads' are incompatible`, `MustShow<string | null>`]],
]; // prettier-ignore

describe('the compiler', () => {
  let said: Readonly<Record<string, string>>;
  beforeAll(() => {
    const wrong = WRONG.map(([, code], index) => [`wrong-${index}.ts`, HEAD + code]);
    const right = `${HEAD}@ViewResolver(Page, () => PageType) export class A { @AnswersView(Page, { ads: z.string().nullable() }) show(): void {} }`;
    said = typeErrors({ ...Object.fromEntries(wrong), 'right.ts': right });
  }, COMPILE_MS);

  it('takes what is right', () => {
    expect([said['right.ts'], said['elsewhere']]).toEqual(['', undefined]);
  });

  it.each(WRONG.map(([what, code, texts], index) => [what, index, code, texts] as const))(
    'says it at its line, and by name: %s',
    (_what, index, code, texts) => {
      const text = said[`wrong-${index}.ts`] ?? '';
      const found = texts.filter((one) => text.includes(one));
      expect([text, found.length]).toEqual([text, texts.length]);
      const lines = [...text.matchAll(/^wrong-\d+\.ts\((\d+),/gm)].map(([, line]) => Number(line));
      expect(lines).toEqual([LINE + code.split('\n').length - 1]);
    },
  );
});

import { describe, expect, it } from '@jest/globals';
import { View, type ViewInput, type ViewValues } from './view.ts';
import type { Call } from '../calls/call.ts';

interface User {
  readonly id: string;
  readonly segment: string;
}

declare const shape: unique symbol;
/** Compiles only when both types are the same. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : [typeof shape, A, B];
const same = <A, B>(_proof: Same<A, B>): void => {};

const getUser: Call<{ id: string }, User> = {
  name: 'users.get',
  upstream: 'users',
  run: (_transports, { id }) => Promise.resolve({ id, segment: 'staff' }),
};

const boundedPlan = {
  memo: true,
  share: undefined,
  cache: undefined,
  batch: undefined,
  concurrency: 2,
  missing: undefined,
};

const start = View.define('Typed').input<{ userId: string }>();

describe('the types of a view', () => {
  it('give each section the type that its failure allows', () => {
    const view = start
      .required('user', getUser, ({ input }) => ({ id: input.userId }))
      .section('feed', () => Promise.resolve([1]), { budget: '250ms', fallback: () => [] })
      .section('ads', async ({ get }) => (await get('user')).segment)
      .section('friend', getUser, async ({ get }) => ({ id: (await get('ads')).trim() }));
    same<ViewValues<typeof view>, { user: User; feed: number[]; ads: string | null; friend: User | null }>(
      true,
    );
    same<ViewInput<typeof view>, { userId: string }>(true);
    expect(view.sections.map(({ name }) => name)).toEqual(['user', 'feed', 'ads', 'friend']);
  });

  it('let a section get only what was declared before it, so that there are no cycles', () => {
    const view = start
      // @ts-expect-error - itself
      .section('a', ({ get }) => get('a'))
      // @ts-expect-error - a later one
      .section('b', ({ get }) => get('c'))
      .section('c', ({ get }) => get('b'));
    expect(view.sections).toHaveLength(3);
  });

  it('give a nested view the values that it shows, and a list its elements or null', () => {
    const inner = start
      .required('user', getUser, ({ input }) => ({ id: input.userId }))
      .section('ads', () => 1);
    const bounded: Call<{ id: string }, User> = { ...getUser, plan: boundedPlan };
    const outer = start
      .section('page', inner, ({ input }) => input, { budget: '1s' })
      .required('own', inner, ({ input }) => input)
      .list('users', bounded, async ({ get }) => [{ id: (await get('own')).user.id }], {
        fallback: () => [],
      });
    same<
      ViewValues<typeof outer>,
      {
        page: { user: User; ads: number | null } | null;
        own: { user: User; ads: number | null };
        users: readonly (User | null)[];
      }
    >(true);
    // @ts-expect-error - a nested view has no fallback as a whole
    start.section('page', inner, ({ input }) => input, { fallback: () => null });
    // @ts-expect-error - the inner view wants { userId: string }
    start.section('page', inner, () => ({ id: '1' }));
    // @ts-expect-error - a list has inputs, not one
    start.list('users', bounded, ({ input }) => ({ id: input.userId }));
    expect(outer.sections.map(({ many }) => many)).toEqual([false, false, true]);
  });

  it('check the input of a call and the type of a fallback', () => {
    // @ts-expect-error - the call wants { id: string }
    start.required('user', getUser, ({ input }) => ({ id: input.userId.length }));
    // @ts-expect-error - the input has no such key
    start.required('user', getUser, ({ input }) => ({ id: input.user }));
    // @ts-expect-error - a fallback has the type of the source
    start.section('feed', () => Promise.resolve([1]), { fallback: () => ['text'] });
    // @ts-expect-error - a required section has no fallback
    start.required('user', getUser, ({ input }) => ({ id: input.userId }), { fallback: () => null });
    expect(start.sections).toHaveLength(0);
  });

  it('refuse a name that is taken, when compiled and when run', () => {
    const view = start.section('a', () => 1);
    // @ts-expect-error - taken
    expect(() => view.section('a', () => 2)).toThrow('the view Typed has a section "a" already');
    // @ts-expect-error - reserved
    expect(() => view.section('degraded', () => 2)).toThrow('the answer uses this name');
  });

  it('refuse a name or a budget that makes no sense, naming view and section', () => {
    expect(() => start.section('a b', () => 1)).toThrow('section "a b" of the view Typed: expected a name');
    // @ts-expect-error - a unit is missing
    expect(() => start.section('a', () => 1, { budget: '250' })).toThrow(
      'section "a" of the view Typed: expected a budget such as "250ms" or "2s", got "250"',
    );
    expect(() => start.section('a', () => 1, { budget: '0ms' })).toThrow('got "0ms"');
  });

  it('leave a view as it was when a section is added', () => {
    const smaller = start.section('a', () => 1);
    smaller.section('b', () => 2);
    expect(smaller.indexOf('b')).toBeUndefined();
  });
});

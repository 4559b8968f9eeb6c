import { describe, expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { MOST_ERRORS, withToldErrors } from './told-errors.ts';

const at = (...path: (string | number)[]): GraphQLError => new GraphQLError(path.join('.'), { path });
const told = (data: Record<string, unknown> | null, ...errors: GraphQLError[]): unknown =>
  withToldErrors({ data, errors }).errors?.map(({ message }) => message);

describe('the errors that an answer tells', () => {
  it('are one for each place that became null', () => {
    expect(told({ a: null }, at('a', 0, 'x'), at('a', 0, 'y'), at('a', 1, 'x'))).toEqual(['a.0.x']);
    expect(told({ a: [null, { x: null }] }, at('a', 0, 'x'), at('a', 0, 'y'), at('a', 1, 'x'))).toEqual([
      'a.0.x',
      'a.1.x',
    ]);
    expect(told(null, at('a'), at('b', 1), new GraphQLError('of nothing'))).toEqual(['a']);
  });

  it('are those that made more null than their own place, where there are some', () => {
    const outcome = { data: { a: null }, errors: [at('a', 'x'), at('a', 'y'), at('a', 'z')] };
    const one = withToldErrors(outcome, ({ path }) => path?.[1] === 'y');
    expect(one.errors?.map(({ message }) => message)).toEqual(['a.y']);
    const none = withToldErrors(outcome, () => false);
    expect(none.errors?.map(({ message }) => message)).toEqual(['a.x']);
  });

  it('are kept where they are of different fields', () => {
    const outcome = { data: { a: null, b: [null, null] }, errors: [at('a'), at('b', 0), at('b', 1)] };
    expect(withToldErrors(outcome)).toBe(outcome);
  });

  it('are bounded, and the others are counted', () => {
    const elements = (count: number): GraphQLError[] =>
      Array.from({ length: count }, (_, index) => at('a', index));
    const data = { a: Array.from({ length: 300 }, () => null) };
    expect(withToldErrors({ data, errors: elements(MOST_ERRORS) }).extensions).toBeUndefined();
    const more = withToldErrors({ data, errors: elements(MOST_ERRORS + 1) });
    expect(more.errors).toHaveLength(100);
    expect(more.extensions).toEqual({ moreErrors: 1 });
    // Asked once more, it says the same.
    expect(withToldErrors(more)).toBe(more);
  });
});

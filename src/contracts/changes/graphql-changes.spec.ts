import { expect, it } from '@jest/globals';
import { changeLine } from './contract-change.ts';
import { graphqlChanges } from './graphql-changes.ts';
import { problemChanges } from './problem-changes.ts';

it('says which changes of a schema break clients, and which may surprise them', () => {
  const before = 'enum E { A }\ntype User { name: String age: Int }\ntype Query { user: User e: E }';
  const after = 'enum E { A B }\ntype User { name: String }\ntype Query { user: User e: E }';
  const changes = graphqlChanges(before, after);
  expect(changes.map((one) => [changeLine(one), one.place, one.breaks])).toEqual([
    ['FIELD_REMOVED: User.age was removed.', 'User.age', true],
    ['VALUE_ADDED_TO_ENUM: B was added to enum type E.', 'B', false],
  ]);
  expect(graphqlChanges(after, after)).toEqual([]);
});

it('says which codes of problems are gone or come with another status', () => {
  const before = [
    { code: 'a', status: 400 },
    { code: 'b', status: 404 },
    { code: 'c', status: 409 },
  ];
  const after = [
    { code: 'a', status: 400 },
    { code: 'b', status: 410 },
    { code: 'd', status: 500 },
  ];
  expect(problemChanges(before, after).map(changeLine)).toEqual([
    'CODE_STATUS_CHANGED: b: comes with 410, before 404',
    'CODE_REMOVED: c: is no longer a code',
  ]);
});

import { expect, it } from '@jest/globals';
import { adminOf } from './admin-variables.ts';

it('is nothing where the environment says nothing of operators', () => {
  expect(adminOf({})).toBeUndefined();
});

it('has what it says', () => {
  expect(adminOf({ ADMIN_TOKENS_FILE: '/a', ADMIN_HOSTS: ['ops.example.com'] })).toMatchObject({
    tokensFile: '/a',
    hosts: ['ops.example.com'],
    token: undefined,
  });
});

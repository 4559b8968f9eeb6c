import { expect, it } from '@jest/globals';
import { includesRole, ROLES } from './roles.ts';

it('each role includes itself and those before it, and none after it', () => {
  const included = ROLES.map((role) => ROLES.filter((needed) => includesRole(role, needed)));
  expect(included).toEqual([['read'], ['read', 'operate'], ['read', 'operate', 'admin']]);
});

it('what is for anyone is for every role', () => {
  expect(ROLES.every((role) => includesRole(role, 'anyone'))).toBe(true);
});

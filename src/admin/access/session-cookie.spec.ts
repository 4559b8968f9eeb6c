import { describe, expect, it } from '@jest/globals';
import { clearedCookie, sessionCookie, sessionIdOf } from './session-cookie.ts';

const ID = 'a'.repeat(43);
const OTHER = 'b'.repeat(43);
const nameOf = (isTls: boolean): string => sessionCookie('', isTls).split('=', 1)[0] as string;

describe.each([false, true])('the cookie of a session, with TLS: %s', (isTls) => {
  const name = nameOf(isTls);

  it('is for this listener and its pages only, and goes at once when it is taken away', () => {
    const field = sessionCookie(ID, isTls);
    for (const part of ['Path=/', 'HttpOnly', 'SameSite=Strict']) expect(field).toContain(`; ${part}`);
    expect([field.includes('; Secure'), field.includes('Domain'), name.startsWith('__Host-')]).toEqual([
      isTls,
      false,
      isTls,
    ]);
    expect(clearedCookie(isTls)).toMatch(new RegExp(`^${name}=;.*; Max-Age=0$`));
  });

  it('is found among others', () => {
    expect(sessionIdOf(`x=1; ${name}=${ID};y=2`, isTls)).toBe(ID);
  });

  it.each([
    ['there is none', undefined],
    ['it is of another name', `x${name}=${ID}`],
    ['it is too short', `${name}=${ID.slice(1)}`],
    ['it has other characters', `${name}=${'+'.repeat(43)}`],
    ['nobody knows which of two it is', `${name}=${ID}; ${name}=${OTHER}`],
    ['one of two is empty', `${name}=${ID}; ${name}=`],
  ])('is none where %s', (_why, field) => expect(sessionIdOf(field, isTls)).toBeUndefined());
});

it('with TLS the name without it is another cookie, which somebody else could set', () => {
  expect(sessionIdOf(`${nameOf(false)}=${ID}`, true)).toBeUndefined();
});

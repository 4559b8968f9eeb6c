import { describe, expect, it } from '@jest/globals';
import { formFault, pathOf } from './request-form.ts';

const asked = (url: string, ...rawHeaders: string[]) => ({
  url,
  headers: { host: 'localhost:1' },
  rawHeaders,
});

describe('the form of a request', () => {
  it.each([
    asked('/', 'Host', 'localhost:1', 'HOST', 'localhost:1'),
    asked('/', 'authorization', 'Bearer a', 'Authorization', 'Bearer b'),
    asked('http://evil.example/'),
    asked('http://localhost:2/'),
    asked('HTTP://localhost:1@evil.example/'),
  ])('has one meaning, unlike %j', (one) => expect(formFault(one)).toMatch(/^expected/));

  it.each([asked('/'), asked('*'), asked('http://LOCALHOST:1/a'), asked('/http://evil.example', 'cookie', 'a', 'cookie', 'b')])(
    'may be %j',
    (one) => expect(formFault(one)).toBeUndefined(),
  ); // prettier-ignore

  it('leads to a path', () => {
    const targets = ['/a?b', 'http://localhost:1/a?b?c', 'http://localhost:1?b', 'https://x', '*'];
    expect(targets.map(pathOf)).toEqual(['/a?b', '/a?b?c', '/?b', '/', '*']);
  });
});

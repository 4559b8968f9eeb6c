import { expect, it } from '@jest/globals';
import { noTarget, noUpstream } from './unknown-names.ts';

const named = (...names: string[]) => names.map((name) => ({ name }));

it('an upstream that there is not is told with the nearest name, or with those that there are', () => {
  expect(noUpstream('user', named('feed', 'users'))).toBe(
    'there is no upstream "user"; did you mean "users"?',
  );
  expect(noUpstream('xyz', named('feed', 'users'))).toBe('there is no upstream "xyz"; there are feed, users');
  expect(noUpstream('xyz', [])).toBe('there is no upstream "xyz"');
});

it('a target that there is not is told with those that there are, each once and a few of them', () => {
  const targets = [1, 1, 2, 3, 4, 5, 6].map((at) => ({ host: `10.0.0.${at}:80` }));
  const upstream = { name: 'users', targets } as unknown as Parameters<typeof noTarget>[0];
  expect(noTarget(upstream, '10.0.0.9:80')).toBe(
    'users has no target 10.0.0.9:80; it has 10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80, 10.0.0.4:80, 10.0.0.5:80, and 1 more',
  );
});

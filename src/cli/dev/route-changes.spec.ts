import { expect, it } from '@jest/globals';
import type { ListedRoute } from '../../admin/route-listing.ts';
import { routeChanges, routeTable } from './route-changes.ts';

const route = (id: string, more: Partial<ListedRoute> = {}): ListedRoute => ({
  id,
  door: 'proxy',
  methods: 'GET',
  host: '*',
  path: `/${id}`,
  upstream: 'users',
  authentication: 'public',
  authorization: '-',
  limits: '-',
  stages: '-',
  origin: 'gateway.yaml:1',
  ...more,
});

it('shows what fits a terminal', () => {
  expect(routeTable([route('a')])).toBe(
    'ID  METHODS  PATH  UPSTREAM  AUTHENTICATION\na   GET      /a    users     public\n',
  );
});

it('says what was added, removed and changed, and nothing else', () => {
  const before = [route('a'), route('b'), route('c'), route('c', { path: '/c/v2' })];
  const after = [
    route('a', { origin: 'gateway.yaml:9' }),
    route('b', { limits: '60/1m', authentication: 'jwt' }),
    route('d', { upstream: '-' }),
    route('c'),
  ];
  expect(routeChanges(before, after)).toEqual([
    '- GET /c/v2  c (users)',
    '~ GET /b  b (users): authentication public → jwt, limits - → 60/1m',
    '+ GET /d  d',
  ]);
});

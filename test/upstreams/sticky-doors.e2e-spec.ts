import { afterAll, expect, it } from '@jest/globals';
import { useShop } from '../support/shop.ts';

process.env['STICKY_DOORS'] = 'a secret of the tests, 32 characters and more';

const holder = useShop({
  upstreams: (services) => ({
    users: {
      targets: [services['users-1'].url, services['users-2'].url],
      sticky: { secretEnv: 'STICKY_DOORS' },
    },
  }),
});

afterAll(() => void delete process.env['STICKY_DOORS']);

const query = { query: '{ homepage { user { name } } }' };

it.each([
  ['a view over REST', '/api/homepage', {}],
  [
    'GraphQL over HTTP',
    '/graphql',
    { method: 'POST', body: JSON.stringify(query), headers: { 'content-type': 'application/json' } },
  ],
])('a sticky session begins with an answer of %s, and is kept', async (_, path, options) => {
  const first = await holder.shop.call(path, { as: 'user', ...options });
  const cookie = (first.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
  expect(cookie).toMatch(/^sticky-users=/);
  const headers = { ...('headers' in options ? options.headers : {}), cookie };
  for (let i = 0; i < 3; i += 1)
    expect(
      (await holder.shop.call(path, { as: 'user', ...options, headers })).headers['set-cookie'],
    ).toBeUndefined();
});

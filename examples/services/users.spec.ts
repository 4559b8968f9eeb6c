import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpService } from './http-service.ts';
import { PEOPLE, type User } from './people.ts';
import { startUsers } from './users.ts';
import { UsersStore } from './users-store.ts';

let users: HttpService;
beforeEach(async () => {
  users = await startUsers();
});
afterEach(() => users.stop());

const items = async (path: string): Promise<string[]> => {
  const answer = (await (await fetch(users.url + path)).json()) as { items: User[] };
  return answer.items.map(({ name }) => name);
};
const post = (body: string): Promise<Response> => fetch(`${users.url}/users`, { method: 'POST', body });

describe('users', () => {
  it('answers one user with the internal field that a gateway masks', async () => {
    const response = await fetch(`${users.url}/users/2`);
    expect(response.headers.get('x-served-by')).toBe('users-1');
    expect(await response.json()).toEqual(PEOPLE[1]);
    expect(PEOPLE[1]?.internal.note).toContain('risk');
  });

  it('answers 404 for an unknown user', async () => {
    const response = await fetch(`${users.url}/users/99`);
    expect([response.status, await response.json()]).toEqual([404, { error: 'user 99 does not exist' }]);
  });

  it('lists all users, or those asked for in that order', async () => {
    expect(await items('/users')).toHaveLength(PEOPLE.length);
    expect(await items('/users?ids=3,99,1')).toEqual(['Eve Guest', 'Ada Admin']);
    expect(await items('/users?ids=')).toEqual([]);
  });

  it('answers 400 for more than 100 ids', async () => {
    expect((await fetch(`${users.url}/users?ids=${'1,'.repeat(101)}`)).status).toBe(400);
  });

  it('adds a user, whatever rights the client asks for, and lists it', async () => {
    const created = await post('{"name":"Zoe","email":"zoe@example.com","roles":["admin"],"tier":"pro"}');
    expect([created.status, created.headers.get('location')]).toEqual([201, '/users/7']);
    const expected = { id: '7', name: 'Zoe', email: 'zoe@example.com', roles: ['user'], tier: 'free' };
    expect(await created.json()).toMatchObject(expected);
    expect(await (await fetch(`${users.url}/users/7`)).json()).toMatchObject(expected);
    expect(await items('/users')).toContain('Zoe');
  });

  it.each([
    ['{"name":"Zoe"}', 400, 'email: text is expected'],
    ['{"name":" ","email":"z@example.com"}', 400, 'name: text is expected'],
    ['{"name":"Zoe","email":"zoe"}', 400, 'email: an address with @ is expected'],
    ['[1]', 400, 'the body must be a JSON object'],
    ['{"name":', 400, 'the body is not valid JSON'],
    [`{"name":"${'x'.repeat(70_000)}"}`, 413, 'the body is longer than 65536 bytes'],
  ])('refuses the body %.40s', async (body, status, error) => {
    const response = await post(body);
    expect([response.status, await response.json()]).toEqual([status, { error }]);
  });

  it('shares users between instances that share a store', async () => {
    const store = new UsersStore();
    const [first, second] = await Promise.all([
      startUsers({ store }),
      startUsers({ store, name: 'users-2' }),
    ]);
    const body = '{"name":"Zoe","email":"zoe@example.com"}';
    await fetch(`${first.url}/users`, { method: 'POST', body });
    const response = await fetch(`${second.url}/users/7`);
    expect([response.status, response.headers.get('x-served-by')]).toEqual([200, 'users-2']);
    await Promise.all([first.stop(), second.stop()]);
  });
});

describe('UsersStore', () => {
  it('forgets the oldest added users, never the first ones', () => {
    const store = new UsersStore();
    const user = { name: 'N', email: 'n@example.com', roles: [], tier: 'free', segment: 's' } as const;
    for (let count = 0; count < 10_010; count += 1)
      store.add({ ...user, internal: { riskScore: 0, note: '' } });
    expect(store.reply('1')).toBeDefined();
    expect(store.reply('7')).toBeUndefined();
    expect(store.reply('10016')).toBeDefined();
  });
});

import { z } from 'zod';
import { httpUpstream } from '../../calls/http-upstream.ts';

const userSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  roles: z.array(z.string()),
  tier: z.string(),
  segment: z.string(),
});

/** A user, as far as the gateway shows one: what the service keeps to itself (`internal`) is not decoded. */
export type User = z.output<typeof userSchema>;

const users = httpUpstream('users');

/** Reads one user; `resource-not-found` when there is none of that id. Those asked for together travel together. */
export const getUser = users.get<{ id: string }, User>('users.get', '/users/{id}', {
  decode: userSchema,
  batch: { path: '/users', ids: 'ids', max: 50, list: 'items', key: (user) => user.id },
});

/** Reads the users of these ids that exist, in this order; the service takes at most 100. */
export const getUsers = users.get<{ ids: readonly string[] }, readonly User[]>('users.some', '/users', {
  query: ['ids'],
  decode: z.object({ items: z.array(userSchema) }).transform(({ items }) => items),
});

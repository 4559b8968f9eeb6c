import { readObject, textField } from './http-body.ts';
import { HttpError, type HttpCall, type Reply } from './http-routes.ts';
import { HttpService } from './http-service.ts';
import type { ServiceOptions } from './sample-service.ts';
import { UsersStore } from './users-store.ts';

const MAX_IDS = 100;

/** How a users instance is started. */
export interface UsersOptions extends ServiceOptions {
  /** The instance's name, which `X-Served-By` carries; `users-1` by default. */
  readonly name?: string;
  /** The users; instances that share a store are replicas before one database. */
  readonly store?: UsersStore;
}

/**
 * Starts the users service: `GET /users` (all, or `?ids=1,2`), `GET /users/{id}`, `POST /users`.
 *
 * @throws {Error} naming service and port when the port is taken.
 */
export function startUsers(options: UsersOptions = {}): Promise<HttpService> {
  const store = options.store ?? new UsersStore();
  return new HttpService(options.name ?? 'users-1', options, [
    { method: 'GET', path: '/users', handle: ({ query }) => list(store, query) },
    {
      method: 'POST',
      path: '/users',
      handle: ({ request }) => readObject(request).then((body) => add(store, body)),
    },
    { method: 'GET', path: '/users/{id}', handle: (call) => read(store, call) },
  ]).start();
}

function read(store: UsersStore, { parameter: id }: HttpCall): Reply {
  const reply = store.reply(id);
  if (reply === undefined) throw new HttpError(404, `user ${id} does not exist`);
  return reply;
}

function list(store: UsersStore, query: string): Reply {
  const ids = query === '' ? null : new URLSearchParams(query).get('ids');
  if (ids === null) return store.all();
  const wanted = ids.split(',').filter((id) => id !== '');
  if (wanted.length > MAX_IDS) throw new HttpError(400, `ids: at most ${MAX_IDS} are possible`);
  return store.some(wanted);
}

function add(store: UsersStore, body: Record<string, unknown>): Reply {
  const name = textField(body, 'name');
  const email = textField(body, 'email');
  if (!email.includes('@')) throw new HttpError(400, 'email: an address with @ is expected');
  // What decides about rights and money is not the client's to say.
  const internal = { riskScore: 0.5, note: 'not reviewed yet' };
  return store.add({ name, email, roles: ['user'], tier: 'free', segment: 'new', internal });
}

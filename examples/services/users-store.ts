import { json, jsonText, type Reply } from './http-routes.ts';
import { PEOPLE, type User } from './people.ts';

/** The most users kept; beyond it the oldest added ones are forgotten, so that a bench cannot fill the memory. */
const MAX_USERS = 10_000;

/** The users, each as JSON and as a whole reply made when the user was added, not when asked for. */
export class UsersStore {
  readonly #texts = new Map<string, string>();
  readonly #replies = new Map<string, Reply>();
  #all: Reply | undefined;
  #lastId = 0;

  constructor(people: readonly User[] = PEOPLE) {
    for (const user of people) this.#put(user);
  }

  /** The reply for one user; undefined when there is none. */
  reply(id: string): Reply | undefined {
    return this.#replies.get(id);
  }

  /** The reply with all users as `{ items }`. */
  all(): Reply {
    return (this.#all ??= listOf([...this.#texts.values()]));
  }

  /** The reply with those of `ids` that exist as `{ items }`, in the order asked for. */
  some(ids: readonly string[]): Reply {
    return listOf(ids.map((id) => this.#texts.get(id)).filter((text) => text !== undefined));
  }

  /** Adds a user under the next id and returns its reply with status 201. */
  add(user: Omit<User, 'id'>): Reply {
    const added = { id: String(this.#lastId + 1), ...user };
    this.#put(added);
    return json(201, added, ['Location', `/users/${added.id}`]);
  }

  #put(user: User): void {
    const text = JSON.stringify(user);
    this.#texts.set(user.id, text);
    this.#replies.set(user.id, jsonText(200, text));
    this.#all = undefined;
    this.#lastId = Number(user.id);
    const oldest = String(this.#lastId - MAX_USERS);
    if (Number(oldest) > PEOPLE.length && this.#texts.delete(oldest)) this.#replies.delete(oldest);
  }
}

function listOf(texts: readonly string[]): Reply {
  return jsonText(200, `{"items":[${texts.join(',')}]}`);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getFeed, getUnread, getUser, getUsers, type Feed, type Item, type Unread } from './calls.ts';

const USER_ID = '1';
const FEED_ITEMS = 10;
/** Somebody who wrote nothing, and so sees as many items as there are. */
const READER_ID = '3';
/** What a homepage is made of is read by the resolvers of its fields, as far as they are selected. */
const HOMEPAGE = {};

/** The gateway's own schema. */
export const typeDefs = readFileSync(
  join(import.meta.dirname, '..', '..', 'config', 'schema.graphql'),
  'utf8',
);

/** The authors that one operation asks for, until they are fetched: at once, by one call, as with DataLoader. */
class Authors {
  readonly #wanted = new Map<string, PromiseWithResolvers<Item | null>>();

  load(id: string): Promise<Item | null> {
    const known = this.#wanted.get(id);
    if (known !== undefined) return known.promise;
    if (this.#wanted.size === 0) process.nextTick(() => this.#fetch());
    const author = Promise.withResolvers<Item | null>();
    this.#wanted.set(id, author);
    return author.promise;
  }

  #fetch(): void {
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    getUsers([...new Set(wanted.map(([id]) => id))], READER_ID).then(
      (users) => {
        const byId = new Map(users.map((user) => [user['id'], user]));
        for (const [id, { resolve }] of wanted) resolve(byId.get(id) ?? null);
      },
      (error: unknown) => {
        for (const [, { reject }] of wanted) reject(error);
      },
    );
  }
}

/** By the context of an operation, which each server makes anew for each. */
const authorsOf = new WeakMap<object, Authors>();

/** Resolvers of the homepage and of the list with authors: the calls of the bare handlers, and fixed identity. */
export const resolvers = {
  Query: {
    homepage: (): object => HOMEPAGE,
    feed: async (_: unknown, { first }: { first: number }): Promise<readonly Item[]> =>
      (await getFeed(READER_ID, first)).items,
  },
  FeedItem: {
    author: (item: Item, _: unknown, context: object): Promise<Item | null> => {
      const authors = authorsOf.get(context) ?? new Authors();
      authorsOf.set(context, authors);
      return authors.load(String(item['authorId']));
    },
  },
  Homepage: {
    user: (): Promise<Item> => getUser(USER_ID),
    feed: (): Promise<Feed> => getFeed(USER_ID, FEED_ITEMS),
    notifications: (): Promise<Unread> => getUnread(USER_ID),
  },
};

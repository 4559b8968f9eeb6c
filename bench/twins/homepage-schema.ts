import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getFeed, getUnread, getUser, type Feed, type Item, type Unread } from './calls.ts';

const USER_ID = '1';
const FEED_ITEMS = 10;
/** What a homepage is made of is read by the resolvers of its fields, as far as they are selected. */
const HOMEPAGE = {};

/** The gateway's own schema. */
export const typeDefs = readFileSync(
  join(import.meta.dirname, '..', '..', 'config', 'schema.graphql'),
  'utf8',
);

/** Resolvers of the homepage: the same three calls as the bare handler, and fixed identity. */
export const resolvers = {
  Query: { homepage: (): object => HOMEPAGE },
  Homepage: {
    user: (): Promise<Item> => getUser(USER_ID),
    feed: (): Promise<Feed> => getFeed(USER_ID, FEED_ITEMS),
    notifications: (): Promise<Unread> => getUnread(USER_ID),
  },
};

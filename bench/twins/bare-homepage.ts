/**
 * Bare twin of the GraphQL homepage: a handler on `node:http` that parses the body, makes the same two REST calls
 * and the same gRPC call at once, and answers the same JSON. It knows one query only, and fixed identity.
 *
 * @module
 */
import { expectQuery, serveBare } from './bare-server.ts';
import { getFeed, getUnread, getUser, type Feed, type Item, type Unread } from './calls.ts';

const USER_ID = '1';
const FEED_ITEMS = 10;

serveBare(async (body) => {
  expectQuery(body);
  const [user, feed, notifications] = await Promise.all([
    getUser(USER_ID),
    getFeed(USER_ID, FEED_ITEMS),
    getUnread(USER_ID),
  ]);
  return JSON.stringify({ data: { homepage: show(user, feed, notifications) } });
});

function show(user: Item, feed: Feed, notifications: Unread): object {
  const { id, name, email, roles, tier, segment } = user;
  const items = feed.items.map((item) => ({
    id: item['id'],
    title: item['title'],
    authorId: item['authorId'],
  }));
  return { user: { id, name, email, roles, tier, segment }, feed: { items }, notifications };
}

/**
 * Bare twin of the list with authors: reads 20 items of the feed, then their different authors by one call, and
 * answers the same JSON. It knows one query only, and fixed identity.
 *
 * @module
 */
import { expectQuery, serveBare } from './bare-server.ts';
import { getFeed, getUsers } from './calls.ts';

/** Somebody who wrote nothing, and so sees as many items as there are. */
const USER_ID = '3';
const FEED_ITEMS = 20;

serveBare(async (body) => {
  expectQuery(body);
  const { items } = await getFeed(USER_ID, FEED_ITEMS);
  const ids = new Set(items.map((item) => String(item['authorId'])));
  const authors = await getUsers([...ids], USER_ID);
  const byId = new Map(authors.map(({ id, name }) => [id, { id, name }]));
  const feed = items.map((item) => ({
    id: item['id'],
    title: item['title'],
    author: byId.get(item['authorId']) ?? null,
  }));
  return JSON.stringify({ data: { feed } });
});

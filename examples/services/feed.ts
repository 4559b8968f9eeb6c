import { HttpError, jsonText, type Reply } from './http-routes.ts';
import { HttpService } from './http-service.ts';
import type { ServiceOptions } from './sample-service.ts';

const DEFAULT_ITEMS = 10;
const AUTHORS = ['1', '2', '4', '5', '6'];
const NEWEST = Date.UTC(2026, 10, 1, 12);
const TITLES = [
  'Ten gates of old Lisbon',
  'Why queues form',
  'A kettle worth its price',
  'Notes on quiet keyboards',
  'The bridge that hums',
  'Bread without a recipe',
];

interface FeedItem {
  readonly id: string;
  readonly title: string;
  readonly authorId: string;
  readonly publishedAt: string;
}

/** 24 items, newest first, three hours apart. */
const ITEMS: readonly FeedItem[] = Array.from({ length: 24 }, (_, index) => ({
  id: `item-${24 - index}`,
  title: `${TITLES[index % TITLES.length]}, part ${4 - Math.floor(index / TITLES.length)}`,
  authorId: AUTHORS[index % AUTHORS.length] ?? '1',
  publishedAt: new Date(NEWEST - index * 3 * 3_600_000).toISOString(),
}));

/**
 * Starts the feed service: `GET /feed?user=&first=` answers `{ items }`, newest first: the first ten or
 * `first`, without what `user` wrote.
 *
 * @throws {Error} naming service and port when the port is taken.
 */
export function startFeed(options: ServiceOptions = {}): Promise<HttpService> {
  const feeds = new Map<string, Feed>(AUTHORS.map((author) => [author, new Feed(author)]));
  const everything = new Feed('');
  const handle = ({ query }: { query: string }): Reply => {
    const parameters = new URLSearchParams(query);
    return (feeds.get(parameters.get('user') ?? '') ?? everything).page(parameters.get('first'));
  };
  return new HttpService('feed', options, [{ method: 'GET', path: '/feed', handle }]).start();
}

/** What one reader sees, with a ready reply for each length. */
class Feed {
  readonly #pages: readonly Reply[];

  constructor(reader: string) {
    const items = ITEMS.filter((item) => item.authorId !== reader);
    this.#pages = Array.from({ length: items.length + 1 }, (_, first) =>
      jsonText(200, JSON.stringify({ items: items.slice(0, first) })),
    );
  }

  page(first: string | null): Reply {
    const length = first === null ? DEFAULT_ITEMS : Number(first);
    const page = this.#pages[Math.min(length, this.#pages.length - 1)];
    if (page === undefined || length < 1)
      throw new HttpError(400, 'first: a whole number from 1 is expected');
    return page;
  }
}

import type { Redis } from 'ioredis';
import { mastersOf } from '../../store/redis-cluster.ts';
import { windowAt, type QuotaTerms } from './quota-count.ts';
import { KEY_PREFIX } from './quota-counters.redis.ts';
import {
  byKey,
  CursorFault,
  FirstOf,
  isWanted,
  mostUsedFirst,
  type ListingPage,
  type ListingQuery,
  type UsedOfQuota,
} from './quota-listing.ts';

/** Keys that one call of SCAN looks at: well below a ms of Redis. */
const KEYS_PER_SCAN = 1000;
/** Calls for one page: a quota that few have in a large Redis takes several pages, some of them empty. */
const MOST_SCANS = 200;
const COUNTED = /^(\d+):(\d+):\d$/;

/** Where a page begins: a node, a place of SCAN there, and what of that place was told before. */
interface Place {
  readonly node: string;
  readonly at: string;
  readonly after: string;
}

/**
 * Lists who has used something of a quota, by SCAN over all nodes that have keys, and never by KEYS. As SCAN does, it finds
 * whoever is there all the time; whoever comes or goes meanwhile it may find or not.
 */
export class RedisListing {
  readonly #redis: Redis;
  readonly #mostScans: number;

  /** @param mostScans calls of SCAN for one page. */
  constructor(redis: Redis, mostScans = MOST_SCANS) {
    this.#redis = redis;
    this.#mostScans = mostScans;
  }

  /**
   * @throws {CursorFault} for a cursor that is none, or of a node that is gone.
   * @throws {Error} of Redis.
   */
  async page(query: ListingQuery, { calendar }: QuotaTerms): Promise<ListingPage> {
    const nodes = mastersOf(this.#redis).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    const from = placeOf(query.cursor);
    const first = from === undefined ? 0 : nodes.findIndex((node) => nameOf(node) === from.node);
    if (first < 0) throw new CursorFault('the node of Redis that it has stopped at is gone');
    const seconds = Number((await (nodes[0] as Redis).time())[0]);
    const borders = calendar.bordersAt(seconds);
    const index = windowAt(borders, seconds) ?? 2;
    const walk = new Walk(query, this.#mostScans, {
      start: borders[index],
      end: borders[index + 1] as number,
    });
    for (const node of nodes.slice(first)) {
      const place = node === nodes[first] ? from : undefined;
      if (await walk.over(node, place?.at ?? '0', place?.after ?? '')) break;
    }
    return walk.page;
  }
}

/** One page on its way. */
class Walk {
  readonly #query: ListingQuery;
  readonly #window: { readonly start: number; readonly end: number };
  readonly #most: FirstOf<UsedOfQuota>;
  readonly #used: UsedOfQuota[] = [];
  #scansLeft: number;
  #next: Place | undefined = undefined;

  constructor(
    query: ListingQuery,
    mostScans: number,
    window: { readonly start: number; readonly end: number },
  ) {
    this.#query = query;
    this.#scansLeft = mostScans;
    this.#window = window;
    this.#most = new FirstOf(query.limit, mostUsedFirst);
  }

  get page(): ListingPage {
    const isWhole = this.#next === undefined;
    if (this.#query.byUse) return { used: this.#most.list(), next: undefined, isWhole };
    return { used: this.#used, next: this.#next && cursorOf(this.#next), isWhole };
  }

  /** Goes over a node from a place on. @returns whether the page is full. */
  async over(node: Redis, from: string, after: string): Promise<boolean> {
    const match = `${KEY_PREFIX}{*}:${globbed(this.#query.id)}`;
    for (let at = from, told = after; ; told = '') {
      if (this.#scansLeft-- <= 0) return this.#stop({ node: nameOf(node), at, after: told });
      const [next, names] = await node.scan(at, 'MATCH', match, 'COUNT', KEYS_PER_SCAN);
      const keys = [...new Set(names)]
        .map((name) => name.slice(KEY_PREFIX.length))
        .filter((key) => key > told && isWanted(key, this.#query));
      const found = (await this.#usedOf(node, keys)).sort(byKey);
      let last = told;
      for (const one of found) {
        if (this.#query.byUse) this.#most.add(one);
        else if (this.#used.length >= this.#query.limit)
          return this.#stop({ node: nameOf(node), at, after: last });
        else this.#used.push(one);
        last = one.key;
      }
      if (next === '0') return false;
      at = next;
    }
  }

  #stop(next: Place): true {
    this.#next = next;
    return true;
  }

  async #usedOf(node: Redis, keys: readonly string[]): Promise<UsedOfQuota[]> {
    const { start, end } = this.#window;
    const kept = await Promise.all(
      // What is no hash is nobody's use; a key may have ended meanwhile.
      keys.map((key) => node.hget(KEY_PREFIX + key, String(start)).catch(nullUnlessGone)),
    );
    return keys.flatMap((key, i) => {
      const [, used, carried] = COUNTED.exec(kept[i] ?? '') ?? [];
      return used === undefined || used === '0'
        ? []
        : [{ key, used: Number(used), carried: Number(carried), start, end }];
    });
  }
}

function nullUnlessGone(error: unknown): null {
  if (Error.isError(error) && error.name === 'ReplyError') return null;
  throw error;
}

function nameOf({ options }: Redis): string {
  return `${options.host ?? ''}:${String(options.port ?? '')}`;
}

function cursorOf(place: Place): string {
  return Buffer.from(JSON.stringify([place.node, place.at, place.after])).toString('base64url');
}

function placeOf(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [node, at, after] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (typeof node === 'string' && /^\d{1,20}$/.test(String(at)) && typeof after === 'string')
      return { node, at: String(at), after };
  } catch {
    // No cursor of ours.
  }
  throw new CursorFault('it is none that a page has told');
}

/** A text that matches itself only. */
function globbed(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}

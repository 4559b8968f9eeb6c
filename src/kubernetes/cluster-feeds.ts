import type { ClusterApi } from '../upstreams/discovery/kubernetes/cluster-api.ts';
import { collectionOf, KINDS, type Kind, type KindName } from './kinds.ts';
import { ResourceFeed } from './resource-feed.ts';
import { byAge, keyOf, type Resource } from './resource.ts';
import type { ClusterView } from './translate/settings.ts';
import type { WatchState, WatchView } from '../snapshot/followed-cluster.ts';

/** What is followed, and who hears of it. */
export interface FeedsDeps {
  readonly api: ClusterApi;
  /** Undefined for all. */
  readonly namespaces?: readonly string[] | undefined;
  readonly gatewayApi: boolean;
  readonly ingress: boolean;
  /** How long a kind that was served has to be missing until its objects are given up. */
  readonly absentAfterMs: number;
  /** From which age of the last word on it is called stale. */
  readonly maxStaleMs: number;
  changed(): void;
  failed(watch: WatchPlace, why: string): void;
  /** Hears that the cluster has a kind no more, and how many objects were given up. */
  lost(watch: WatchPlace, objects: number): void;
  /** Hears that it has it again. */
  found(watch: WatchPlace): void;
}

/** What one watch is about. */
export interface WatchPlace {
  readonly kind: KindName;
  /** Absent for all namespaces. */
  readonly namespace?: string;
  /** In words. */
  readonly title: string;
}

interface NamedFeed {
  readonly place: WatchPlace;
  readonly feed: ResourceFeed;
}

/** All kinds of objects that are followed, each by a feed of its own, or one for each namespace. */
export class ClusterFeeds implements ClusterView {
  readonly #feeds: readonly NamedFeed[];
  readonly #maxStaleMs: number;
  readonly #sorted = new Map<KindName, readonly Resource[]>();

  constructor(deps: FeedsDeps) {
    this.#maxStaleMs = deps.maxStaleMs;
    const wanted = KINDS.filter(({ of }) => of === 'both' || deps[of]);
    this.#feeds = wanted.flatMap((kind: Kind) => {
      const spaces =
        kind.isOfCluster === true || deps.namespaces === undefined ? [undefined] : deps.namespaces;
      return spaces.map((namespace) => this.#feedOf(kind, namespace, deps));
    });
  }

  #feedOf(kind: Kind, namespace: string | undefined, deps: FeedsDeps): NamedFeed {
    const collection = collectionOf(kind, namespace);
    const name = kind.kind as KindName;
    const place = { kind: name, title: collection.title, ...(namespace !== undefined && { namespace }) };
    const feed = new ResourceFeed({
      api: deps.api,
      kind,
      collection,
      absentAfterMs: deps.absentAfterMs,
      changed: () => {
        this.#sorted.delete(name);
        deps.changed();
      },
      failed: (why) => deps.failed(place, why),
      lost: (objects) => deps.lost(place, objects),
      found: () => deps.found(place),
    });
    return { place, feed };
  }

  start(): void {
    for (const { feed } of this.#feeds) feed.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#feeds.map(({ feed }) => feed.stop()));
  }

  /** What the cluster has not said yet. */
  get awaited(): readonly string[] {
    return this.#feeds.filter(({ feed }) => !feed.isKnown).map(({ place }) => place.title);
  }

  /** How each watch is. */
  get watches(): readonly WatchView[] {
    return this.#feeds.map(({ place, feed }) => ({
      ...place,
      state: stateOf(feed, this.#maxStaleMs),
      objects: feed.items.size,
      ageMs: feed.ageMs,
      ...(feed.fault !== undefined && { why: feed.fault }),
    }));
  }

  all(kind: KindName): readonly Resource[] {
    const known = this.#sorted.get(kind);
    if (known !== undefined) return known;
    const sorted = this.#of(kind)
      .flatMap(({ feed }) => [...feed.items.values()])
      .toSorted(byAge);
    this.#sorted.set(kind, sorted);
    return sorted;
  }

  get(kind: KindName, namespace: string, name: string): Resource | undefined {
    const key = keyOf({ namespace, name });
    for (const { feed } of this.#of(kind)) {
      const found = feed.items.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #of(kind: KindName): readonly NamedFeed[] {
    return this.#feeds.filter((one) => one.place.kind === kind);
  }
}

function stateOf(feed: ResourceFeed, maxStaleMs: number): WatchState {
  if (feed.fault !== undefined) return feed.ageMs > maxStaleMs ? 'stale' : 'failing';
  if (!feed.isKnown) return 'awaited';
  return feed.isAbsent ? 'absent' : 'followed';
}

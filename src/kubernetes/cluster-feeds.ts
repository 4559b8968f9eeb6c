import type { ClusterApi } from '../upstreams/discovery/kubernetes/cluster-api.ts';
import { collectionOf, KINDS, type Kind, type KindName } from './kinds.ts';
import { ResourceFeed } from './resource-feed.ts';
import { byAge, keyOf, type Resource } from './resource.ts';
import type { ClusterView } from './translate/settings.ts';

/** What is followed, and who hears of it. */
export interface FeedsDeps {
  readonly api: ClusterApi;
  /** Undefined for all. */
  readonly namespaces: readonly string[] | undefined;
  readonly gatewayApi: boolean;
  readonly ingress: boolean;
  changed(): void;
  failed(what: string, why: string): void;
}

interface NamedFeed {
  readonly kind: Kind;
  readonly title: string;
  readonly feed: ResourceFeed;
}

/** All kinds of objects that are followed, each by a feed of its own, or one for each namespace. */
export class ClusterFeeds implements ClusterView {
  readonly #feeds: readonly NamedFeed[];
  readonly #sorted = new Map<KindName, readonly Resource[]>();

  constructor(deps: FeedsDeps) {
    const wanted = KINDS.filter(({ of }) => of === 'both' || deps[of]);
    this.#feeds = wanted.flatMap((kind: Kind) => {
      const spaces =
        kind.isOfCluster === true || deps.namespaces === undefined ? [undefined] : deps.namespaces;
      return spaces.map((namespace) => {
        const collection = collectionOf(kind, namespace);
        const { title } = collection;
        const changed = (): void => {
          this.#sorted.delete(kind.kind as KindName);
          deps.changed();
        };
        const failed = (why: string): void => deps.failed(title, why);
        return {
          kind,
          title,
          feed: new ResourceFeed({ api: deps.api, kind: kind.kind, collection, changed, failed }),
        };
      });
    });
  }

  start(): void {
    for (const { feed } of this.#feeds) feed.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#feeds.map(({ feed }) => feed.stop()));
  }

  /** What the cluster has not said yet. */
  get awaited(): readonly string[] {
    return this.#feeds.filter(({ feed }) => !feed.isKnown).map(({ title }) => title);
  }

  /** What has not been heard of for longer than a time. */
  staleSince(
    ms: number,
  ): readonly { readonly title: string; readonly ageMs: number; readonly why: string }[] {
    return this.#feeds
      .filter(({ feed }) => feed.ageMs > ms)
      .map(({ title, feed }) => ({ title, ageMs: feed.ageMs, why: feed.fault ?? '' }));
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
    return this.#feeds.filter((one) => one.kind.kind === kind);
  }
}

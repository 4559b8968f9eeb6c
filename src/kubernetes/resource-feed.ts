import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../upstreams/discovery/backoff.ts';
import { Unknown } from '../upstreams/discovery/discovery-source.ts';
import {
  Gone,
  LONGEST_WATCH_MS,
  MAX_ITEMS,
  nameOf,
  objectOf,
  Refused,
  type ClusterApi,
  type Collection,
} from '../upstreams/discovery/kubernetes/cluster-api.ts';
import { MAX_WEIGHT } from '../upstreams/discovery/json-weight.ts';
import type { JsonLines } from '../upstreams/discovery/kubernetes/json-lines.ts';
import { Absence, type AbsenceVerdict } from './absence.ts';
import type { Kind } from './kinds.ts';
import { resourceOf, type Resource } from './resource.ts';

const GONE = 410;
const NOT_FOUND = 404;
/** A kind that the cluster does not know is asked for again after this long: somebody may install it. */
const ABSENT_MS = 15_000;
/** A watch that ends as soon as it begins is begun again no sooner than this. */
const SHORT_MS = 1000;

const DOUBTS: Readonly<Record<Exclude<AbsenceVerdict, 'gone'>, string>> = {
  unsure:
    'the cluster says that it has no such kind; what is known is kept until it has said so for long enough',
  contradicted: 'the cluster answers 404, and names the kind all the same; what is known is kept',
};

/** What a feed needs of the rest. */
export interface FeedDeps {
  readonly api: ClusterApi;
  readonly kind: Kind;
  readonly collection: Collection;
  /** How long a kind that was served has to be missing until its objects are given up. */
  readonly absentAfterMs: number;
  /** Hears that something is other than it was. */
  changed(): void;
  /** Hears of a question that came to nothing. */
  failed(why: string): void;
  /** Hears that the cluster has the kind no more, and how many objects were given up. */
  lost(objects: number): void;
  /** Hears that it has the kind again. */
  found(): void;
  /** From 0 to below 1. */
  readonly random?: (() => number) | undefined;
}

/**
 * The objects of one kind: listed once, and then followed by watches that take up where the one before has ended. Whatever
 * fails, what is known stays, until a list says otherwise.
 */
export class ResourceFeed {
  readonly #deps: FeedDeps;
  readonly #end = new AbortController();
  readonly #backoff: Backoff;
  #items: ReadonlyMap<string, Resource> = new Map();
  #version: string | undefined = undefined;
  /** What all changes weigh since the list. */
  #changedWeight = 0;
  #isKnown = false;
  #isAbsent = false;
  readonly #absence: Absence;
  #heardAt = performance.now();
  #fault: string | undefined = undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: FeedDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff(deps.random);
    this.#absence = new Absence({ api: deps.api, kind: deps.kind, afterMs: deps.absentAfterMs });
  }

  /** Whether the cluster has said once what there is. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Whether the cluster has no such kind, by its own word. */
  get isAbsent(): boolean {
    return this.#isAbsent;
  }

  get items(): ReadonlyMap<string, Resource> {
    return this.#items;
  }

  /** Why nothing is heard; undefined while all is well. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** How long ago the cluster has last been heard, in ms. */
  get ageMs(): number {
    return this.#fault === undefined ? 0 : performance.now() - this.#heardAt;
  }

  start(): void {
    this.#running = this.#run(this.#end.signal);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const waitMs =
          this.#version === undefined ? await this.#list(signal) : await this.#follow(this.#version, signal);
        if (waitMs > 0) await sleep(waitMs, undefined, { signal });
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof Gone) this.#version = undefined;
    if (!(error instanceof Refused) || error.status !== NOT_FOUND) {
      this.#absence.forget();
      return this.#fail(error, signal);
    }
    this.#version = undefined;
    const wasServed = this.#isKnown && !this.#isAbsent;
    let verdict: AbsenceVerdict;
    try {
      verdict = await this.#absence.look(wasServed, signal);
    } catch (unknown) {
      if (!signal.aborted) await this.#fail(unknown, signal);
      return;
    }
    if (verdict === 'gone') this.#giveUp(wasServed);
    else this.#failed(DOUBTS[verdict]);
    await pause(verdict === 'gone' ? ABSENT_MS : this.#absence.gapMs, signal);
  }

  async #fail(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failed(error instanceof Error ? error.message : String(error));
    const afterMs = error instanceof Unknown ? error.afterMs : 0;
    await pause(Math.max(this.#backoff.failed(performance.now()), afterMs), signal);
  }

  #failed(why: string): void {
    this.#fault = why;
    this.#deps.failed(why);
  }

  // Nobody has installed the kind, so that there are none: that is an answer.
  #giveUp(wasServed: boolean): void {
    this.#isAbsent = true;
    this.#heard();
    if (wasServed) this.#deps.lost(this.#items.size);
    this.#take(new Map());
  }

  async #list(signal: AbortSignal): Promise<number> {
    const { api, collection, kind } = this.#deps;
    const { items, version } = await api.list<unknown>(collection, placeOf, signal);
    const all = new Map([...items].map(([key, item]) => [key, resourceOf(kind.kind, item)]));
    this.#version = version;
    this.#absence.forget();
    if (this.#isAbsent) this.#deps.found();
    this.#isAbsent = false;
    this.#changedWeight = 0;
    this.#heard();
    this.#take(all);
    return 0;
  }

  async #follow(version: string, signal: AbortSignal): Promise<number> {
    const begunAt = performance.now();
    const watch = await this.#deps.api.watch(this.#deps.collection, version, signal);
    this.#heard();
    try {
      for (;;) {
        const leftMs = LONGEST_WATCH_MS - (performance.now() - begunAt);
        const end = await watch.wait(Math.max(0, leftMs), signal);
        if (signal.aborted) return 0;
        if (end === 'end') return performance.now() - begunAt < SHORT_MS ? SHORT_MS : 0;
        if (end === 'quiet') throw new Unknown('the watch does not end in its time');
        this.#apply(watch);
        if (this.#version === undefined) return 0;
      }
    } finally {
      watch.close();
    }
  }

  #apply(watch: JsonLines): void {
    const before = watch.weight;
    const next = new Map(this.#items);
    let isOther = false;
    try {
      for (const event of watch.take()) isOther = this.#change(objectOf(event), next) || isOther;
      this.#changedWeight += watch.weight - before;
      // How much of it is in force nobody has counted: a list says what there is, and is bounded.
      if (this.#changedWeight > MAX_WEIGHT) this.#version = undefined;
    } catch (error) {
      // Something was missed: what is known may be wrong from here on.
      this.#version = undefined;
      throw error;
    } finally {
      if (isOther) this.#take(next);
    }
    this.#heard();
  }

  #change({ type, object }: Readonly<Record<string, unknown>>, next: Map<string, Resource>): boolean {
    if (type === 'ERROR') {
      const { code, reason } = objectOf(object);
      if (code === GONE) throw new Gone('the cluster has forgotten the version to go on from');
      throw new Unknown(`the watch ended with ${String(code ?? '')} ${String(reason ?? '')}`.trim());
    }
    const { resourceVersion } = objectOf(objectOf(object)['metadata']);
    if (typeof resourceVersion !== 'string')
      throw new Unknown('the watch brought an event without a version');
    if (type === 'DELETED') next.delete(placeOf(object));
    else if (type === 'ADDED' || type === 'MODIFIED')
      next.set(placeOf(object), resourceOf(this.#deps.kind.kind, object));
    else if (type !== 'BOOKMARK') throw new Unknown('the watch brought an event of no known type');
    if (next.size > MAX_ITEMS) throw new Unknown(`there are more than ${MAX_ITEMS} of them`);
    this.#version = resourceVersion;
    return type !== 'BOOKMARK';
  }

  #heard(): void {
    this.#heardAt = performance.now();
    this.#fault = undefined;
    this.#backoff.succeeded(this.#heardAt);
  }

  // What was there stays until something else takes its place at once: no reader sees a part of a list.
  #take(items: ReadonlyMap<string, Resource>): void {
    const isNews = !this.#isKnown || items.size > 0 || this.#items.size > 0;
    this.#items = items;
    this.#isKnown = true;
    if (isNews) this.#deps.changed();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined);
}

function placeOf(item: unknown): string {
  const { namespace } = objectOf(objectOf(item)['metadata']);
  return `${typeof namespace === 'string' ? namespace : ''}/${nameOf(item)}`;
}

import type { Kept, KeptCounts, KeptOutcome } from './traffic-answers.ts';

/** How many exchanges are kept at most. */
export const MOST_KEPT = 2000;
/** How many of one route, by why they are kept. */
const MOST_OF_ROUTE: Readonly<Record<KeptOutcome, number>> = {
  refused: 50,
  failed: 50,
  slow: 10,
  sample: 20,
};
/** How many of them have a waterfall. */
const MOST_WATERFALLS = 300;
/** The slowest are those of the last 10 min. */
const SLOW_FOR_MS = 10 * 60_000;

/** One that is kept. Its pocket is the list of its route and outcome. */
interface Entry {
  kept: Kept;
  readonly atMs: number;
  readonly pocket: Pocket;
}

interface Pocket {
  readonly key: string;
  readonly most: number;
  readonly entries: Entry[];
}

/** Which are asked for. */
export interface KeptFilter {
  readonly route?: string | undefined;
  readonly outcome?: KeptOutcome | undefined;
  readonly client?: string | undefined;
  /** The name that an operation has in metrics. */
  readonly operation?: string | undefined;
  /** Text that one of id, trace, path, client, principal, code, rule or reason has in it. */
  readonly q?: string | undefined;
}

/**
 * Exchanges that are worth a look, in bounded memory. Each route has a few places of its own; when all places together are
 * taken, whoever has most gives one up, so that a route that refuses much pushes out no other.
 */
export class KeptExchanges {
  readonly #most: number;
  readonly #now: () => number;
  readonly #pockets = new Map<string, Pocket>();
  /** Pockets by how many they have: whoever has most is found without looking at all of them. */
  readonly #bySize: Set<Pocket>[] = [];
  readonly #byId = new Map<string, Entry>();
  readonly #waterfalls = new Set<Entry>();
  #renamed = 0;
  /** How many there were for which there was no time; written by who decides. */
  skipped = 0;

  /** @param most how many are kept. */
  constructor(now: () => number = Date.now, most = MOST_KEPT) {
    this.#now = now;
    this.#most = most;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Keeps one; where its id is known already, for a client may choose it, under another one. @returns the time of the fastest of the slow ones of its route, once all their places are taken. */
  keep(given: Kept): number | undefined {
    const kept = this.#byId.has(given.id) ? { ...given, id: this.#otherId(given.id) } : given;
    const group = kept.outcome === 'sample' ? (kept.operation ?? kept.route) : kept.route;
    const pocket = this.#pocketOf(kept.outcome, group);
    if (pocket.entries.length >= pocket.most)
      this.#drop(kept.outcome === 'slow' ? fastest(pocket) : (pocket.entries[0] as Entry));
    if (this.#byId.size >= this.#most) this.#dropOfLargest();
    const entry: Entry = { kept, atMs: this.#now(), pocket };
    this.#resize(pocket, () => pocket.entries.push(entry));
    this.#byId.set(kept.id, entry);
    if (kept.waterfall !== undefined) this.#keepWaterfall(entry);
    const isFull = kept.outcome === 'slow' && pocket.entries.length >= pocket.most;
    return isFull ? fastest(pocket).kept.ms : undefined;
  }

  find(id: string): Kept | undefined {
    return this.#byId.get(id)?.kept;
  }

  /** Those that are asked for, the newest first. */
  list({ route, outcome, client, operation, q }: KeptFilter = {}): readonly Kept[] {
    const text = q?.toLowerCase();
    const found: Entry[] = [];
    for (const entry of this.#byId.values()) {
      const { kept } = entry;
      if (route !== undefined && kept.route !== route) continue;
      if (outcome !== undefined && kept.outcome !== outcome) continue;
      if (client !== undefined && kept.client !== client && kept.principal !== client) continue;
      if (operation !== undefined && kept.operation !== operation) continue;
      if (text === undefined || says(kept, text)) found.push(entry);
    }
    return found.reverse().map(({ kept }) => kept);
  }

  get counts(): KeptCounts {
    const counts = { refused: 0, failed: 0, slow: 0 };
    let oldest: string | null = null;
    for (const { kept } of this.#byId.values()) {
      oldest ??= kept.at;
      if (kept.outcome !== 'sample') counts[kept.outcome] += 1;
    }
    return { ...counts, since: oldest, skipped: this.skipped };
  }

  /** Drops slow ones that are too old. @returns the routes that have given up some, which can be slow anew. */
  look(): ReadonlySet<string> {
    const routes = new Set<string>();
    const before = this.#now() - SLOW_FOR_MS;
    for (const entry of this.#byId.values()) {
      if (entry.kept.outcome !== 'slow' || entry.atMs >= before) continue;
      this.#drop(entry);
      routes.add(entry.kept.route);
    }
    return routes;
  }

  #otherId(id: string): string {
    this.#renamed += 1;
    return `${id}~${this.#renamed}`;
  }

  #pocketOf(outcome: KeptOutcome, group: string): Pocket {
    const key = `${outcome} ${group}`;
    let pocket = this.#pockets.get(key);
    if (pocket === undefined)
      this.#pockets.set(key, (pocket = { key, most: MOST_OF_ROUTE[outcome], entries: [] }));
    return pocket;
  }

  #resize(pocket: Pocket, change: () => void): void {
    this.#bySize[pocket.entries.length]?.delete(pocket);
    change();
    const { length } = pocket.entries;
    if (length === 0) this.#pockets.delete(pocket.key);
    else {
      this.#pockets.set(pocket.key, pocket);
      (this.#bySize[length] ??= new Set()).add(pocket);
    }
  }

  #drop(entry: Entry): void {
    const { pocket, kept } = entry;
    this.#resize(pocket, () => pocket.entries.splice(pocket.entries.indexOf(entry), 1));
    this.#byId.delete(kept.id);
    this.#waterfalls.delete(entry);
  }

  #dropOfLargest(): void {
    for (let size = this.#bySize.length - 1; size > 0; size -= 1) {
      const [largest] = this.#bySize[size] ?? [];
      if (largest !== undefined) return this.#drop(largest.entries[0] as Entry);
    }
  }

  #keepWaterfall(entry: Entry): void {
    this.#waterfalls.add(entry);
    if (this.#waterfalls.size <= MOST_WATERFALLS) return;
    const [oldest] = this.#waterfalls;
    if (oldest === undefined) return;
    this.#waterfalls.delete(oldest);
    const { waterfall: _gone, ...rest } = oldest.kept;
    oldest.kept = rest;
  }
}

function fastest({ entries }: Pocket): Entry {
  return entries.reduce((one, other) => (other.kept.ms < one.kept.ms ? other : one));
}

function says(kept: Kept, text: string): boolean {
  const { id, traceId, path, client, principal, code, by, rule, reason, route } = kept;
  return [id, traceId, path, client, principal, code, by, rule, reason, route].some(
    (one) => one?.toLowerCase().includes(text) === true,
  );
}

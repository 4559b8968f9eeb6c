import type { Snapshot } from './snapshot.ts';

/**
 * Names of what a configuration no longer has, such as its routes. What was counted of them is shown until the reload after
 * the one that they left with, so that a scrape sees the last of it, and as long as somebody still uses them.
 */
export class DepartedNames {
  readonly #namesOf: (snapshot: Snapshot) => readonly string[];
  readonly #departed = new Set<string>();

  constructor(namesOf: (snapshot: Snapshot) => readonly string[]) {
    this.#namesOf = namesOf;
  }

  /**
   * Takes note of a reload.
   *
   * @param left the snapshot that was in force.
   * @param held all that somebody still holds, with the one that is in force now.
   * @returns the names of which nothing has to be shown any more.
   */
  after(left: Snapshot, { current, held }: HeldSnapshots): ReadonlySet<string> {
    const used = new Set(held.flatMap(this.#namesOf));
    const gone = new Set([...this.#departed].filter((name) => !used.has(name)));
    const now = new Set(this.#namesOf(current));
    for (const name of this.#departed) if (gone.has(name) || now.has(name)) this.#departed.delete(name);
    for (const name of this.#namesOf(left)) if (!now.has(name)) this.#departed.add(name);
    return gone;
  }
}

/** The snapshots of a gateway. */
interface HeldSnapshots {
  readonly current: Snapshot;
  readonly held: readonly Snapshot[];
}

/** The ids of the routes. */
export function routeIds({ table }: Snapshot): readonly string[] {
  return table.routes.map(({ id }) => id);
}

/** The names of the upstreams. */
export function upstreamNames({ upstreams }: Snapshot): readonly string[] {
  return upstreams.all().map(({ name }) => name);
}

import type { Snapshot } from './snapshot.ts';

/**
 * Routes that a configuration no longer has. What was counted of them is shown until the reload after the one that they left
 * with, so that a scrape sees the last of it, and as long as somebody still uses them.
 */
export class DepartedRoutes {
  readonly #departed = new Set<string>();

  /**
   * Takes note of a reload.
   *
   * @param left the snapshot that was in force.
   * @param held all that somebody still holds, with the one that is in force now.
   * @returns the ids of which nothing has to be shown any more.
   */
  after(left: Snapshot, { current, held }: HeldSnapshots): ReadonlySet<string> {
    const used = new Set(held.flatMap(idsOf));
    const gone = new Set([...this.#departed].filter((id) => !used.has(id)));
    const now = new Set(idsOf(current));
    for (const id of this.#departed) if (gone.has(id) || now.has(id)) this.#departed.delete(id);
    for (const id of idsOf(left)) if (!now.has(id)) this.#departed.add(id);
    return gone;
  }
}

/** The snapshots of a gateway. */
interface HeldSnapshots {
  readonly current: Snapshot;
  readonly held: readonly Snapshot[];
}

function idsOf({ table }: Snapshot): string[] {
  return table.routes.map(({ id }) => id);
}

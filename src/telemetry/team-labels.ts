import type { MetricValue } from './metric-family.ts';

/** Whose routes and upstreams are, by what metrics call them. */
export interface Owners {
  readonly routes: ReadonlyMap<string, string>;
  readonly upstreams: ReadonlyMap<string, string>;
}

/** Gives series the label `team`, where somebody's routes or upstreams are a team's. */
export type Teamed = (values: readonly MetricValue[]) => readonly MetricValue[];

/** How long owners are taken to be the same: for as long as a scrape reads. */
const SAME_MS = 1000;

/**
 * Adds the label `team` to series of routes and upstreams as they are shown; nothing is counted by it, for a route has one team.
 * Where a configuration has no teams, no series has it.
 */
export class TeamLabels {
  #read: (() => Owners) | undefined = undefined;
  #owners: Owners | undefined = undefined;
  #readAtMs = 0;

  /** Goes by a configuration; undefined for one without teams. */
  use(read: (() => Owners) | undefined): void {
    this.#read = read;
    this.#owners = undefined;
  }

  /** Labels some series. */
  readonly labels: Teamed = (values) => {
    if (this.#read === undefined) return values;
    const owners = this.#current(this.#read);
    return values.map((one) => {
      const team = teamOf(one, owners);
      return team === undefined ? one : { ...one, labels: { ...one.labels, team } };
    });
  };

  #current(read: () => Owners): Owners {
    const now = performance.now();
    if (this.#owners !== undefined && now - this.#readAtMs < SAME_MS) return this.#owners;
    this.#readAtMs = now;
    return (this.#owners = read());
  }
}

function teamOf({ labels }: MetricValue, { routes, upstreams }: Owners): string | undefined {
  if (labels['team'] !== undefined) return undefined;
  return routes.get(String(labels['route'])) ?? upstreams.get(String(labels['upstream']));
}

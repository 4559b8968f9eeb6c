import type { Registry } from 'prom-client';
import type { MetricFamily, MetricValue, SlicedMetric } from './metric-family.ts';
import { familyOf, guardOf, MOST_FOLDED, OTHER, type SeriesGuard } from './series-guard.ts';

/** How a counter is called, and the names of its labels: none to three. */
export interface LabelCounterOptions {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Which labels, by index, say `other` once there are too many series. Default: the first. */
  readonly folds?: readonly number[];
}

/** What is counted for one combination of labels; whoever counts often keeps it. */
export class Tally {
  readonly labels: Readonly<Record<string, string>>;
  value = 0;

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels;
  }

  /** Counts. */
  add(by = 1): void {
    this.value += by;
  }
}

/** What is counted together with others, and counted as such. */
class FoldedTally extends Tally {
  readonly #shared: Tally;
  readonly #noted: (by: number) => void;

  constructor(shared: Tally, noted: (by: number) => void) {
    super(shared.labels);
    this.#shared = shared;
    this.#noted = noted;
  }

  override add(by = 1): void {
    this.#shared.add(by);
    this.#noted(by);
  }
}

const FIRST: readonly number[] = [0];

/**
 * A counter that only counts on the request path. It has so many series as its {@link SeriesGuard} allows; what comes beyond
 * is counted together.
 */
export class LabelCounter implements SlicedMetric {
  readonly name: string;
  readonly help: string;
  readonly type = 'counter';
  readonly labelNames: readonly string[];
  readonly #folds: readonly number[];
  readonly #guard: SeriesGuard;
  readonly #tallies = new Map<string, Tally>();
  /** How many of them are for more than one. */
  #shared = 0;

  constructor({ name, help, labels, folds = FIRST }: LabelCounterOptions, registry: Registry) {
    this.name = name;
    this.help = help;
    this.labelNames = labels;
    this.#folds = folds;
    this.#guard = guardOf(registry);
    if (labels.length > 0) this.#guard.watch(name);
    registry.registerMetric(this as never);
  }

  /** Counts. Values are names of ours, none of which has a line break. */
  count(first = '', second = '', third = '', by = 1): void {
    const tally = this.#tallies.get(`${first}\n${second}\n${third}`);
    (tally ?? this.tally(first, second, third)).add(by);
  }

  /** What is counted for a combination of labels. One that is {@link forget forgotten} counts on, and is not shown. */
  tally(first = '', second = '', third = ''): Tally {
    const key = `${first}\n${second}\n${third}`;
    const known = this.#tallies.get(key);
    if (known !== undefined) return known;
    const values = [first, second, third];
    if (this.#tallies.size - this.#shared < this.#guard.most) return this.#make(key, values);
    const folded = values.map((one, index) => (this.#folds.includes(index) ? OTHER : one));
    return new FoldedTally(this.#sharedOf(folded), (by) => this.#guard.folded(this.name, by));
  }

  /** How much was counted for a combination of labels; 0 where nothing was. */
  valueOf(first = '', second = '', third = ''): number {
    return this.#tallies.get(`${first}\n${second}\n${third}`)?.value ?? 0;
  }

  /** Shows no more what was counted for these values of the first label. */
  forget(values: ReadonlySet<string>): void {
    for (const key of this.#tallies.keys())
      if (values.has(key.slice(0, key.indexOf('\n')))) this.#tallies.delete(key);
  }

  /** Shows no more what was counted for one combination of labels. */
  remove(first: string, second = '', third = ''): void {
    this.#tallies.delete(`${first}\n${second}\n${third}`);
  }

  slices(): Iterable<readonly MetricValue[]> {
    return [...this.#tallies.values()].map(({ labels, value }) => [{ labels, value }]);
  }

  get(): MetricFamily {
    return familyOf(this);
  }

  #sharedOf(values: readonly string[]): Tally {
    const key = values.join('\n');
    const known = this.#tallies.get(key);
    if (known !== undefined) return known;
    const isLast = values.every((one) => one === OTHER);
    // Even what is folded is too much: all of it together.
    if (this.#shared >= MOST_FOLDED && !isLast) return this.#sharedOf(values.map(() => OTHER));
    this.#shared += 1;
    return this.#make(key, values);
  }

  #make(key: string, values: readonly string[]): Tally {
    const labels = Object.fromEntries(this.labelNames.map((name, index) => [name, values[index] ?? '']));
    const made = new Tally(labels);
    this.#tallies.set(key, made);
    return made;
  }
}

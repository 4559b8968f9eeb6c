import type { Registry } from 'prom-client';
import type { MetricFamily, MetricValue, SlicedMetric } from './metric-family.ts';
import { familyOf, guardOf, OTHER, type SeriesGuard } from './series-guard.ts';

/** Takes a series: the values of the labels in their order. */
export type ShowSeries = (value: number, ...labels: readonly string[]) => void;

/** How a gauge is called, and how it is read. */
export interface ReadGaugeOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Which label, by index, says `other` once there are too many series. Default: the last. */
  readonly fold?: number;
  /** What is shown of those that have no series of their own: all together, or the greatest. Default `sum`. */
  readonly of?: 'sum' | 'max';
}

interface Cell {
  readonly labels: Record<string, string>;
  value: number;
}

const NONE: readonly string[] = [];

/**
 * A gauge that is read at a scrape: series of what is gone disappear by themselves. It has so many series as its
 * {@link SeriesGuard} allows; what comes beyond is shown together.
 */
export class ReadGauge implements SlicedMetric {
  readonly name: string;
  readonly help: string;
  readonly type = 'gauge';
  readonly labelNames: readonly string[];
  readonly #guard: SeriesGuard;
  readonly #fold: number;
  readonly #of: 'sum' | 'max';
  readonly #read: (show: ShowSeries) => void;

  /** @param read shows the series; of one that is shown twice the last value counts. */
  constructor(
    { name, help, labels = NONE, fold = labels.length - 1, of = 'sum' }: ReadGaugeOptions,
    registry: Registry,
    read: (show: ShowSeries) => void,
  ) {
    this.name = name;
    this.help = help;
    this.labelNames = labels;
    this.#fold = fold;
    this.#of = of;
    this.#read = read;
    this.#guard = guardOf(registry);
    if (labels.length > 0) this.#guard.watch(name);
    registry.registerMetric(this as never);
  }

  slices(): Iterable<readonly MetricValue[]> {
    const cells = new Map<string, Cell>();
    const shared = new Map<string, Cell>();
    this.#read((value, ...values) => {
      const key = values.join('\n');
      const known = cells.get(key);
      // A series that is there twice makes the whole scrape worthless. What takes the place of another one comes later.
      if (known !== undefined) known.value = value;
      else if (cells.size < this.#guard.most) cells.set(key, { labels: this.#labelled(values), value });
      else this.#share(shared, values, value);
    });
    for (const [key, cell] of shared) cells.set(key, cell);
    return [...cells.values()].map((cell) => [cell]);
  }

  get(): MetricFamily {
    return familyOf(this);
  }

  #share(shared: Map<string, Cell>, values: readonly string[], value: number): void {
    this.#guard.folded(this.name);
    let folded = values.map((one, index) => (index === this.#fold ? OTHER : one));
    // All of them, where even so there would be too many.
    if (shared.size >= this.#guard.most && !shared.has(folded.join('\n'))) folded = values.map(() => OTHER);
    const key = folded.join('\n');
    const cell = shared.get(key);
    if (cell === undefined) shared.set(key, { labels: this.#labelled(folded), value });
    else cell.value = this.#of === 'sum' ? cell.value + value : Math.max(cell.value, value);
  }

  #labelled(values: readonly string[]): Record<string, string> {
    return Object.fromEntries(this.labelNames.map((name, index) => [name, values[index] ?? '']));
  }
}

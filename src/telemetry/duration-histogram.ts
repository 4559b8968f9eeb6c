import type { Metric, Registry } from 'prom-client';
import type { Exemplar, MetricFamily, MetricValue, SlicedMetric } from './metric-family.ts';
import { familyOf, guardOf, MOST_FOLDED, OTHER, type SeriesGuard } from './series-guard.ts';

type Labels = Readonly<Record<string, string>>;

/** The trace of an exemplar. */
export interface ExemplarTrace {
  readonly traceId: string;
  readonly spanId: string;
}

const EXEMPLAR_PAUSE_S = 10;

/** The durations of one combination of labels. */
export class DurationCell {
  readonly labels: Labels;
  readonly #bounds: readonly number[];
  /** One count per bucket, and one for what is longer than all of them. */
  readonly counts: Float64Array;
  sum = 0;
  /** The latest sampled exchange of each bucket; undefined until there is one. */
  exemplars: (Exemplar | undefined)[] | undefined = undefined;

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /**
   * Counts one duration, in seconds.
   *
   * @param trace of what took so long, where there are spans of it to be looked at.
   */
  observe(seconds: number, trace?: ExemplarTrace): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && seconds > (this.#bounds[bucket] as number)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += seconds;
    if (trace !== undefined) this.#exemplify(bucket, seconds, trace);
  }

  // The newest one of each bucket, and no more often than a scrape would see them.
  #exemplify(bucket: number, value: number, { traceId, spanId }: ExemplarTrace): void {
    const timestamp = Date.now() / 1000;
    const exemplars = (this.exemplars ??= new Array<undefined>(this.counts.length).fill(undefined));
    const before = exemplars[bucket];
    if (before !== undefined && timestamp - before.timestamp < EXEMPLAR_PAUSE_S) return;
    exemplars[bucket] = { labelSet: { trace_id: traceId, span_id: spanId }, value, timestamp };
  }
}

/** What is counted together with others, and counted as such. */
class FoldedCell extends DurationCell {
  readonly #shared: DurationCell;
  readonly #noted: () => void;

  constructor(shared: DurationCell, noted: () => void) {
    super(shared.labels, []);
    this.#shared = shared;
    this.#noted = noted;
  }

  override observe(seconds: number, trace?: ExemplarTrace): void {
    this.#shared.observe(seconds, trace);
    this.#noted();
  }
}

/** How a histogram is called, and the names of its labels. */
export interface DurationHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of the buckets, in seconds, ascending. */
  readonly bounds: readonly number[];
  /** The label that says `other` once there are too many series. Default: the first. */
  readonly fold?: string;
}

/**
 * A histogram whose cells are looked up once and then only count; prom-client's own checks and hashes the labels on
 * each observation, which cost more than all our other metrics of a request. It has so many lines as its
 * {@link SeriesGuard} allows; what comes beyond is counted together.
 */
export class DurationHistogram implements SlicedMetric {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly labelNames: readonly string[];
  readonly #bounds: readonly number[];
  readonly #fold: string;
  readonly #guard: SeriesGuard;
  #cells: DurationCell[] = [];
  readonly #shared = new Map<string, DurationCell>();

  constructor({ name, help, labels, bounds, fold }: DurationHistogramOptions, registry: Registry) {
    this.name = name;
    this.help = help;
    this.labelNames = labels;
    this.#bounds = bounds;
    this.#fold = fold ?? labels[0] ?? '';
    this.#guard = guardOf(registry);
    this.#guard.watch(name);
    registry.registerMetric(this as unknown as Metric);
  }

  /** Makes the cell of a combination of labels; the caller keeps it. */
  cell(labels: Labels): DurationCell {
    // A cell has a line for each bucket, for what is longer, for the sum and for the count.
    if ((this.#cells.length + 1) * (this.#bounds.length + 3) > this.#guard.most) return this.#folded(labels);
    const cell = new DurationCell(labels, this.#bounds);
    this.#cells.push(cell);
    return cell;
  }

  /** Shows the cells of these values of a label no more. */
  forget(label: string, values: ReadonlySet<string>): void {
    this.#cells = this.#cells.filter(({ labels }) => !values.has(labels[label] ?? ''));
  }

  *slices(): Iterable<readonly MetricValue[]> {
    for (const cell of [...this.#cells, ...this.#shared.values()]) yield this.#valuesOf(cell);
  }

  /** What prom-client's registry asks for. */
  async get(): Promise<MetricFamily> {
    return familyOf(this);
  }

  #folded(labels: Labels): DurationCell {
    let shown: Labels = { ...labels, [this.#fold]: OTHER };
    if (this.#shared.size >= MOST_FOLDED && !this.#shared.has(keyOf(shown)))
      shown = Object.fromEntries(this.labelNames.map((name) => [name, OTHER]));
    const key = keyOf(shown);
    let shared = this.#shared.get(key);
    if (shared === undefined) this.#shared.set(key, (shared = new DurationCell(shown, this.#bounds)));
    return new FoldedCell(shared, () => this.#guard.folded(this.name));
  }

  #valuesOf({ labels, counts, sum, exemplars }: DurationCell): MetricValue[] {
    const values: MetricValue[] = [];
    const metricName = `${this.name}_bucket`;
    let count = 0;
    for (let index = 0; index < counts.length; index += 1) {
      count += counts[index] as number;
      const bucket = { labels: { le: this.#bounds[index] ?? '+Inf', ...labels }, value: count, metricName };
      const exemplar = exemplars?.[index];
      values.push(exemplar === undefined ? bucket : { ...bucket, exemplar });
    }
    values.push({ labels, value: sum, metricName: `${this.name}_sum` });
    values.push({ labels, value: count, metricName: `${this.name}_count` });
    return values;
  }
}

function keyOf(labels: Labels): string {
  return JSON.stringify(labels);
}

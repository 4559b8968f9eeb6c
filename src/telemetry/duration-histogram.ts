import type { Metric } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

/** The trace of an exemplar. */
export interface ExemplarTrace {
  readonly traceId: string;
  readonly spanId: string;
}

/** One observation that stands for a bucket, as prom-client writes it in the format of OpenMetrics. */
export interface Exemplar {
  readonly labelSet: { readonly trace_id: string; readonly span_id: string };
  /** In seconds. */
  readonly value: number;
  /** In seconds since the epoch. */
  readonly timestamp: number;
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

/**
 * A histogram whose cells are looked up once and then only count; prom-client's own checks and hashes the labels on
 * each observation, which cost more than all our other metrics of a request. It is read by prom-client's registry.
 */
export class DurationHistogram {
  readonly name: string;
  readonly help: string;
  readonly #bounds: readonly number[];
  #cells: DurationCell[] = [];

  /** @param bounds upper bounds of the buckets, in seconds, ascending. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
  }

  /** Makes the cell of a combination of labels; the caller keeps it. */
  cell(labels: Labels): DurationCell {
    const cell = new DurationCell(labels, this.#bounds);
    this.#cells.push(cell);
    return cell;
  }

  /** Shows the cells of these values of a label no more. */
  forget(label: string, values: ReadonlySet<string>): void {
    this.#cells = this.#cells.filter(({ labels }) => !values.has(labels[label] ?? ''));
  }

  /** This histogram as the registry's type wants it; the registry only asks for what is here. */
  asMetric(): Metric {
    return this as unknown as Metric;
  }

  /** What a scrape shows. */
  async get() {
    const values = this.#cells.flatMap((cell) => this.#valuesOf(cell));
    return { name: this.name, help: this.help, type: 'histogram', values, aggregator: 'sum' };
  }

  #valuesOf({ labels, counts, sum, exemplars }: DurationCell) {
    let count = 0;
    const buckets = [...counts].map((own, index) => {
      count += own;
      const le = this.#bounds[index] ?? '+Inf';
      const bucket = { labels: { le, ...labels }, value: count, metricName: `${this.name}_bucket` };
      const exemplar = exemplars?.[index];
      return exemplar === undefined ? bucket : { ...bucket, exemplar };
    });
    return [
      ...buckets,
      { labels, value: sum, metricName: `${this.name}_sum` },
      { labels, value: count, metricName: `${this.name}_count` },
    ];
  }
}

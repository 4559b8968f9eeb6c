/** One observation that stands for the others of its bucket: a trace that can be looked at. */
export interface Exemplar {
  readonly labelSet: Readonly<Record<string, string>>;
  readonly value: number;
  /** In seconds since the epoch. */
  readonly timestamp: number;
}

/** One series of a metric. */
export interface MetricValue {
  /** Where it differs from that of the family, as for buckets. */
  readonly metricName?: string | undefined;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Only OpenMetrics has them. */
  readonly exemplar?: Exemplar | undefined;
}

/** A metric with all of its series. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly MetricValue[];
}

/** A metric of ours that a scrape reads piece by piece, so that the event loop is given back in between. */
export interface SlicedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** The names of its labels. */
  readonly labelNames: readonly string[];
  /** The series, those that have to be of one moment together. */
  slices(): Iterable<readonly MetricValue[]>;
  /** All of them at once, as prom-client's registry asks for them. */
  get(): MetricFamily | Promise<MetricFamily>;
}

/** A metric of prom-client, or one of ours in its registry. */
export type RegisteredMetric = SlicedMetric | { get(): Promise<MetricFamily> };

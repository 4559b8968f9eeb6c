/** One series of a metric. */
export interface MetricValue {
  /** Where it differs from that of the family, as for buckets. */
  readonly metricName?: string | undefined;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A metric with all of its series. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly MetricValue[];
}

/** What is summed over workers, and goes on after one of them has ended. */
export function isCounted({ type }: Pick<MetricFamily, 'type'>): boolean {
  return type === 'counter' || type === 'histogram';
}

/** Metrics of several processes on their way to one page: series with the same name and labels are added up. */
export class MetricSums {
  readonly #families = new Map<
    string,
    { readonly family: MetricFamily; readonly values: Map<string, MetricValue> }
  >();
  readonly #most: number;
  #count = 0;

  /** @param most how many series it keeps; more are left out. Default any number. */
  constructor(most = Infinity) {
    this.#most = most;
  }

  /** Adds metrics. @param worker what series that are not {@link isCounted} are labelled with. */
  add(families: readonly MetricFamily[], worker?: string): void {
    for (const family of families) {
      const { values } = this.#familyOf(family);
      const isSummed = worker === undefined || isCounted(family);
      for (const value of family.values)
        this.#addValue(values, isSummed ? value : { ...value, labels: { ...value.labels, worker } });
    }
  }

  /** All of them, in the order in which they came. */
  families(): readonly MetricFamily[] {
    return [...this.#families.values()].map(({ family, values }) => ({
      ...family,
      values: [...values.values()],
    }));
  }

  #familyOf(family: MetricFamily): { readonly values: Map<string, MetricValue> } {
    let known = this.#families.get(family.name);
    if (known === undefined) this.#families.set(family.name, (known = { family, values: new Map() }));
    return known;
  }

  #addValue(values: Map<string, MetricValue>, added: MetricValue): void {
    const key = seriesOf(added);
    const before = values.get(key);
    if (before === undefined && this.#count >= this.#most) return;
    if (before === undefined) this.#count += 1;
    values.set(key, before === undefined ? added : { ...added, value: before.value + added.value });
  }
}

function seriesOf({ metricName = '', labels }: MetricValue): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(String(value))}`);
  return `${metricName} ${pairs.toSorted().join()}`;
}

/** The content type of {@link metricsText}. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Metrics in the format of Prometheus. */
export function metricsText(families: readonly MetricFamily[]): string {
  return families.map(familyText).join('\n');
}

function familyText({ name, help, type, values }: MetricFamily): string {
  const lines = values.map(
    ({ metricName = name, labels, value }) => `${metricName}${labelsText(labels)} ${numberText(value)}\n`,
  );
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelsText(labels: MetricValue['labels']): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(String(value)).replaceAll('"', String.raw`\"`)}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join()}}`;
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : Number.isNaN(value) ? 'NaN' : String(value);
}

function escaped(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
}

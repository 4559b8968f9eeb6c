import type { MetricFamily, MetricValue } from '../telemetry/metric-family.ts';

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
    values.set(key, before === undefined ? added : sumOf(before, added));
  }
}

function seriesOf({ metricName = '', labels }: MetricValue): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(String(value))}`);
  return `${metricName} ${pairs.toSorted().join()}`;
}

function sumOf(before: MetricValue, added: MetricValue): MetricValue {
  const exemplar =
    (added.exemplar?.timestamp ?? 0) > (before.exemplar?.timestamp ?? 0) ? added.exemplar : before.exemplar;
  const value = before.value + added.value;
  return exemplar === undefined ? { ...added, value } : { ...added, value, exemplar };
}

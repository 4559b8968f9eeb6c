/** One line of a page of metrics. */
export interface Sample {
  readonly name: string;
  /** As they were written, in the order of their names. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** The labels of its exemplar; undefined for none. */
  readonly exemplar: Readonly<Record<string, string>> | undefined;
}

const SAMPLE = /^([a-z_]\w*)(?:\{(.*?)\})? (\S+)(?: # \{(.*)\} (\S+) (\d+\.\d{3}))?$/;
const LABEL = /([a-z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

/**
 * Reads a page as strictly as its format is told: each family once with its head, samples right below it, each series once,
 * buckets that grow, and exemplars where they may be.
 *
 * @throws {Error} that names the line.
 */
export function readMetrics(text: string, format: 'text' | 'openmetrics'): readonly Sample[] {
  const lines = text.split('\n');
  const end = lines.pop();
  if (end !== '' || (format === 'openmetrics') !== (lines.at(-1) === '# EOF'))
    throw new Error('the page has no end');
  const page = new Page(format);
  for (const line of format === 'openmetrics' ? lines.slice(0, -1) : lines) page.take(line);
  page.finish();
  return page.samples;
}

class Page {
  readonly samples: Sample[] = [];
  readonly #format: 'text' | 'openmetrics';
  readonly #series = new Set<string>();
  readonly #families = new Set<string>();
  #family = '';
  #type = '';

  constructor(format: 'text' | 'openmetrics') {
    this.#format = format;
  }

  take(line: string): void {
    const [, name, text] = /^# HELP (\S+) (.+)$/.exec(line) ?? [];
    if (name !== undefined && text !== undefined) return this.#begin(name, line);
    const [, typed, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (typed !== undefined && typed === this.#family && this.#type === '')
      return void (this.#type = type as string);
    this.#sample(line);
  }

  /** Looks at what is known only at the end. */
  finish(): void {
    const before = new Map<string, number>();
    for (const { name, labels, value } of this.samples) {
      if (!name.endsWith('_bucket') && !name.endsWith('_count')) continue;
      const { le, ...others } = labels;
      const key = `${name.replace(/_(?:bucket|count)$/, '')} ${JSON.stringify(others)}`;
      const last = before.get(key);
      if (le !== undefined) {
        if (value < (last ?? 0))
          throw new Error(`a bucket is smaller than the one before: ${name} ${JSON.stringify(labels)}`);
        before.set(key, value);
      } else if (last !== undefined && last !== value)
        throw new Error(`a count is not that of its buckets: ${key}`);
    }
  }

  #begin(name: string, line: string): void {
    if (this.#families.has(name)) throw new Error(`a family is there twice: ${line}`);
    this.#families.add(name);
    [this.#family, this.#type] = [name, ''];
  }

  #sample(line: string): void {
    const [, name, labelText = '', value, exemplarText] = SAMPLE.exec(line) ?? [];
    if (name === undefined || !Number.isFinite(Number(value))) throw new Error(`no sample: ${line}`);
    if (!this.#owns(name)) throw new Error(`a sample outside of its family: ${line}`);
    const labels = labelsOf(labelText, line);
    const key = `${name} ${JSON.stringify(Object.entries(labels).toSorted())}`;
    if (this.#series.has(key)) throw new Error(`a series is there twice: ${line}`);
    this.#series.add(key);
    if (exemplarText !== undefined && (this.#format === 'text' || !/_(?:bucket|total)$/.test(name)))
      throw new Error(`an exemplar where none may be: ${line}`);
    const exemplar = exemplarText === undefined ? undefined : labelsOf(exemplarText, line);
    this.samples.push({ name, labels, value: Number(value), exemplar });
  }

  #owns(name: string): boolean {
    if (this.#format === 'text' && this.#type === 'counter') return name === this.#family;
    return (SUFFIXES[this.#type] ?? []).some((suffix) => name === this.#family + suffix);
  }
}

function labelsOf(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let at = 0;
  LABEL.lastIndex = 0;
  for (let found = LABEL.exec(text); found !== null; found = LABEL.exec(text)) {
    const [whole, name = '', value = ''] = found;
    if (name in labels) throw new Error(`a label is there twice: ${line}`);
    labels[name] = value;
    at += whole.length;
  }
  if (at !== text.length) throw new Error(`labels that cannot be read: ${line}`);
  return labels;
}

/** The media type of OpenMetrics, as Prometheus asks for it. */
export const OPENMETRICS = 'application/openmetrics-text;version=1.0.0';

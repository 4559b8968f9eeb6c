import { setImmediate as turn } from 'node:timers/promises';
import { endText, headText, linesText } from './exposition.ts';
import type { MetricFamily, MetricValue, RegisteredMetric, SlicedMetric } from './metric-family.ts';
import type { MetricsFormat } from './metrics-format.ts';
import type { Teamed } from './team-labels.ts';

/** How long a scrape works before requests have their turn. */
const SLICE_MS = 5;
/** How many lines are written between two looks at the clock. */
const LOOK_EVERY_LINES = 100;

type Head = Omit<MetricFamily, 'values'>;
type Part = readonly [Head, Iterable<readonly MetricValue[]>];

/** Writes a page of metrics, and gives the event loop back every few milliseconds. */
class PageWriter {
  readonly #format: MetricsFormat;
  readonly #teamed: Teamed;
  readonly #pieces: Buffer[] = [];
  #text = '';
  #lines = 0;
  #startedAt = performance.now();

  constructor(format: MetricsFormat, teamed: Teamed = (values) => values) {
    this.#format = format;
    this.#teamed = teamed;
  }

  async write([head, slices]: Part): Promise<void> {
    this.#text += headText(head, this.#format);
    for (const values of slices) {
      this.#text += linesText(head.name, this.#teamed(values), this.#format);
      this.#lines += values.length;
      if (this.#lines >= LOOK_EVERY_LINES && this.#isLate()) await this.#rest();
    }
    if (this.#isLate()) await this.#rest();
  }

  end(): Buffer {
    this.#text += endText(this.#format);
    this.#flush();
    return Buffer.concat(this.#pieces);
  }

  #isLate(): boolean {
    this.#lines = 0;
    return performance.now() - this.#startedAt > SLICE_MS;
  }

  async #rest(): Promise<void> {
    this.#flush();
    await turn();
    this.#startedAt = performance.now();
  }

  #flush(): void {
    this.#pieces.push(Buffer.from(this.#text));
    this.#text = '';
  }
}

/** The page of all metrics of a registry. @param teamed says whose series are. Default: nobody's. */
export async function pageOf(
  metrics: readonly RegisteredMetric[],
  format: MetricsFormat,
  teamed?: Teamed,
): Promise<Buffer> {
  const writer = new PageWriter(format, teamed);
  for (const metric of metrics) await writer.write(await partOf(metric));
  return writer.end();
}

/** The page of families that were read elsewhere. */
export async function pageOfFamilies(
  families: readonly MetricFamily[],
  format: MetricsFormat,
): Promise<Buffer> {
  const writer = new PageWriter(format);
  for (const family of families) await writer.write([family, [family.values]]);
  return writer.end();
}

async function partOf(metric: RegisteredMetric): Promise<Part> {
  if (isSliced(metric)) return [metric, metric.slices()];
  const family = await metric.get();
  return [family, [family.values]];
}

function isSliced(metric: RegisteredMetric): metric is SlicedMetric {
  return 'slices' in metric;
}

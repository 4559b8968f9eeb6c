import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/** Hears what becomes of spans. */
export interface ExportWatch {
  /** Spans that nobody got: `queue` for those that were too many, `export` for those that the collector did not take. */
  dropped(reason: 'queue' | 'export', count: number): void;
  /** Spans that the collector has taken. */
  exported(count: number): void;
  /** The collector takes no more spans, or takes them again; called when that changes. */
  changed(isWell: boolean, reason: string): void;
}

/** An exporter of which it is known what waits for it, and how it does. */
export class WatchedExporter implements SpanExporter {
  /** Spans that were given to the batches, and not yet to the exporter. */
  waiting = 0;
  readonly #exporter: SpanExporter;
  readonly #watch: ExportWatch;
  /** Spans that were sent, and nobody has said what became of them. */
  #underWay = 0;
  #isWell = true;
  #isOver = false;

  constructor(exporter: SpanExporter, watch: ExportWatch) {
    this.#exporter = exporter;
    this.#watch = watch;
  }

  export(spans: ReadableSpan[], heard: (result: ExportResult) => void): void {
    this.waiting -= spans.length;
    this.#underWay += spans.length;
    this.#exporter.export(spans, (result) => {
      this.#note(spans.length, result);
      heard(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve();
  }

  /** Counts what is still there as lost: nobody waits any longer. */
  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const lost = this.waiting + this.#underWay;
    if (lost > 0) this.#watch.dropped('export', lost);
  }

  #note(count: number, { code, error }: ExportResult): void {
    this.#underWay -= count;
    // They are counted already.
    if (this.#isOver) return;
    const isWell = code === ExportResultCode.SUCCESS;
    if (isWell) this.#watch.exported(count);
    else this.#watch.dropped('export', count);
    if (isWell === this.#isWell) return;
    this.#isWell = isWell;
    this.#watch.changed(isWell, error?.message ?? '');
  }
}

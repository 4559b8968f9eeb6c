import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { OtelEnvironment } from '../../config/otel-environment.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { secretValuesOf } from '../../exchange/shown-target.ts';
import type { SpanNote } from '../../telemetry/span-log.ts';
import type { FollowedTrace } from '../followed-trace.ts';
import type { SpanSink } from '../tracing.ts';
import type { SpanFrame, SpanHome } from './finished-span.ts';
import { innerSpans } from './inner-spans.ts';
import { serverSpan } from './server-span.ts';
import { WatchedExporter, type ExportWatch } from './watched-exporter.ts';

/** The specification's own default. */
const USUAL_QUEUE = 2048;
const LONGEST_VALUE = 2048;

/** What a writer of spans is made with. */
export interface SpanWriterOptions {
  readonly exporter: SpanExporter;
  readonly home: Omit<SpanHome, 'valueLength'>;
  readonly otel: Pick<OtelEnvironment, 'batch' | 'valueLength'>;
  readonly watch: ExportWatch;
}

/**
 * Makes spans of exchanges that are kept, and hands them to the batches of OpenTelemetry's SDK. What waits to be sent is bounded;
 * what is beyond is dropped and counted, so that a collector which is slow or gone costs requests nothing.
 */
export class SpanWriter implements SpanSink {
  readonly #home: SpanHome;
  readonly #batches: BatchSpanProcessor;
  readonly #exporter: WatchedExporter;
  readonly #watch: ExportWatch;
  readonly #most: number;

  constructor({ exporter, home, otel, watch }: SpanWriterOptions) {
    const { batch, valueLength = LONGEST_VALUE } = otel;
    this.#home = { ...home, valueLength: valueLength ?? LONGEST_VALUE };
    this.#watch = watch;
    this.#most = batch.maxQueueSize ?? USUAL_QUEUE;
    this.#exporter = new WatchedExporter(exporter, watch);
    const given = Object.fromEntries(Object.entries(batch).filter(([, value]) => value !== undefined));
    this.#batches = new BatchSpanProcessor({ exporter: this.#exporter, ...given });
  }

  ended(exchange: Exchange, trace: FollowedTrace): void {
    const frame = this.#frameOf(trace);
    if (!trace.isPart) this.#add(serverSpan(exchange, trace, frame));
    this.#addInner(trace.spans?.notes ?? [], trace, frame);
  }

  noted(trace: FollowedTrace, notes: readonly SpanNote[]): void {
    this.#addInner(notes, trace, this.#frameOf(trace));
  }

  /** Sends what waits, as long as it may take. Never rejects. */
  async close(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    // The last batch may fail as any other one; that was counted.
    await Promise.race([this.#batches.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
    this.#exporter.abandon();
  }

  #addInner(notes: readonly SpanNote[], trace: FollowedTrace, frame: SpanFrame): void {
    if (notes.length === 0) return;
    const secrets = trace.exchange === undefined ? [] : secretValuesOf(trace.exchange);
    const options = { frame, rootId: trace.spanId, query: trace.rules.shown.query, secrets };
    for (const span of innerSpans(notes, options)) this.#add(span);
  }

  #add(span: ReadableSpan): void {
    // The batches would drop it as well, and tell nobody.
    if (this.#exporter.waiting >= this.#most) return this.#watch.dropped('queue', 1);
    this.#exporter.waiting += 1;
    this.#batches.onEnd(span);
  }

  #frameOf({ traceId, state }: FollowedTrace): SpanFrame {
    // Not the time at which the process began: the clock may have been set since.
    return { home: this.#home, traceId, state, offsetMs: Date.now() - performance.now() };
  }
}

import { Counter } from 'prom-client';
import type { OtelEnvironment } from '../config/otel-environment.ts';
import { REDACTED, redacted } from '../telemetry/redaction.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SpanSink } from './tracing.ts';
import { Tracing } from './tracing.ts';
import type { TracingOptions } from './tracing.schema.ts';
import { compileRules } from './tracing-rules.ts';

/** What a tracer is opened with. */
export interface TracerOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Who sends spans away, and can be told to end. */
interface OpenSink extends SpanSink {
  close(limitMs: number): Promise<void>;
}

/** The traces of one process: where spans go to, whatever configuration is in force. */
export class Tracer {
  readonly #otel: OtelEnvironment | undefined;
  #sink: OpenSink | undefined = undefined;

  /** @param otel undefined: no spans are exported, and nothing of OpenTelemetry is loaded. */
  constructor(otel?: OtelEnvironment) {
    this.#otel = otel;
  }

  /** Whether spans are exported. */
  get exports(): boolean {
    return this.#sink !== undefined;
  }

  /** Loads what exports spans, where they are. */
  async open({ logger, metrics }: TracerOptions): Promise<void> {
    const otel = this.#otel;
    if (otel === undefined || this.#sink !== undefined) return;
    const { openWriter } = await import('./otlp/open-writer.ts');
    this.#sink = await openWriter(otel, watchOf(logger, metrics));
  }

  /**
   * How traces go under a configuration.
   *
   * @param options undefined where it says nothing.
   * @returns undefined where traces pass as they come: nothing is said, and nothing is exported.
   */
  compile(
    options: TracingOptions | 'off' | undefined,
    isTrusted: (peer: string) => boolean,
  ): Tracing | undefined {
    if (options === 'off' || (options === undefined && this.#sink === undefined)) return undefined;
    return new Tracing(compileRules(options, this.#otel, isTrusted), this.#sink);
  }

  /** Sends what waits, as long as it may take, in ms. Never rejects. */
  async close(limitMs: number): Promise<void> {
    await this.#sink?.close(limitMs);
  }
}

function watchOf(logger: Logger, { registry }: Metrics) {
  const dropped = new Counter({
    name: 'gatehouse_spans_dropped_total',
    help: 'Spans that no collector got, because too many waited (queue) or it did not take them (export).',
    labelNames: ['reason'],
    registers: [registry],
  });
  const exported = new Counter({
    name: 'gatehouse_spans_exported_total',
    help: 'Spans that the collector has taken.',
    registers: [registry],
  });
  for (const reason of ['queue', 'export']) dropped.inc({ reason }, 0);
  return {
    dropped: (reason: 'queue' | 'export', count: number) => dropped.inc({ reason }, count),
    exported: (count: number) => exported.inc(count),
    // A line for each change, not for each batch.
    changed: (isWell: boolean, reason: string) => {
      if (isWell) logger.info({ exporter: 'otlp' }, 'the collector takes spans again');
      else
        logger.warn(
          { exporter: 'otlp', reason: shown(reason) },
          'the collector does not take spans; they are dropped and counted',
        );
    },
  };
}

const LONGEST_REASON = 200;

function shown(reason: string): string {
  return reason === '' ? REDACTED : redacted(reason).slice(0, LONGEST_REASON);
}

import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { AnswerHead } from '../transport/http1/answer-head.ts';

/** Who hears the answer of a request, and who counts its attempts. */
export interface ForwardingDeps {
  readonly sink: AnswerSink;
  readonly metrics: Metrics;
}

/** Who makes attempts, and decides what follows on one. */
export interface ForwardHost {
  readonly exchange: Exchange;
  /** Shows in the access line and the metrics what an attempt became. */
  note(outcome: string): void;
  /** Whether an answer with this head is given up, for another attempt or for one that is under way. */
  givesUp(head: AnswerHead): boolean;
  /** Makes another attempt, unless one is under way. */
  retry(): void;
  /** Hears that an attempt failed before its answer began. */
  failed(error: unknown): void;
  /** Hears that an answer broke off. @returns the word for the access line. */
  brokeOff(error: unknown): string;
}

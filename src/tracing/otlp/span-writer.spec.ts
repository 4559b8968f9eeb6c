import { describe, expect, it } from '@jest/globals';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { createExchange } from '../../../test/support/exchange.ts';
import { SpanLog } from '../../telemetry/span-log.ts';
import type { TraceCarrier } from '../../telemetry/trace-context.ts';
import { FollowedTrace } from '../followed-trace.ts';
import { compileRules } from '../tracing-rules.ts';
import { SpanWriter } from './span-writer.ts';

const RULES = compileRules(undefined, undefined, () => true);

/** A writer whose collector answers when it is told to. */
function writer(maxQueueSize: number) {
  const sent: ReadableSpan[] = [];
  const heard: string[] = [];
  const held: ((result: ExportResult) => void)[] = [];
  const exporter: SpanExporter = {
    export: (spans, answer) => {
      sent.push(...spans);
      held.push(answer);
    },
    shutdown: () => Promise.resolve(),
  };
  const one = new SpanWriter({
    exporter,
    home: { resource: resourceFromAttributes({}), scope: { name: 'test' } },
    otel: { batch: { maxQueueSize, maxExportBatchSize: 2, scheduleDelayMillis: 60_000, exportTimeoutMillis: 200 }, valueLength: undefined } as never,
    watch: {
      dropped: (reason, count) => heard.push(`dropped ${reason} ${count}`),
      exported: (count) => heard.push(`exported ${count}`),
      changed: () => undefined,
    },
  });
  const answer = (): void => held.shift()?.({ code: ExportResultCode.SUCCESS });
  return { one, sent, heard, answer };
} // prettier-ignore

function traceOf(notes: readonly string[] = [], part?: FollowedTrace): FollowedTrace {
  const spans = new SpanLog();
  for (const name of notes) spans.begin('call', name)?.end('ok', false);
  const none = { caller: undefined, stranger: undefined, baggage: undefined };
  return new FollowedTrace({ rules: RULES, carrier: {} as TraceCarrier, spans, ...none }, part);
}

describe('a writer of spans', () => {
  it('makes the span of an exchange and those of its notes; of a part only those of its notes', async () => {
    const { one, sent, answer } = writer(100);
    one.ended(createExchange(), traceOf(['a', 'b']));
    one.ended(createExchange(), traceOf(['c'], traceOf()));
    one.noted(traceOf(), []);
    const closed = one.close(1000);
    for (let turn = 0; turn < 10; turn += 1) {
      await new Promise(setImmediate);
      answer();
    }
    await closed;
    expect(sent.map(({ name }) => name).toSorted()).toEqual(['GET', 'call a', 'call b', 'call c']);
  });

  it('drops what is more than may wait, and counts it', async () => {
    const { one, heard } = writer(4);
    for (let turn = 0; turn < 20; turn += 1) one.ended(createExchange(), traceOf());
    expect(heard.filter((word) => word === 'dropped queue 1').length).toBeGreaterThan(0);
    await one.close(10);
  });

  it('ends in time though nobody takes what waits, which is counted', async () => {
    const { one, heard } = writer(100);
    for (let turn = 0; turn < 5; turn += 1) one.ended(createExchange(), traceOf());
    await one.close(20);
    expect(heard).toEqual(['dropped export 5']);
  });
});

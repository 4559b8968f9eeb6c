import { describe, expect, it } from '@jest/globals';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { WatchedExporter } from './watched-exporter.ts';

/** An exporter that answers when the test says so, and what was heard of it. */
function watched() {
  const answers: ((result: ExportResult) => void)[] = [];
  const heard: string[] = [];
  const exporter: SpanExporter = {
    export: (_, answer) => void answers.push(answer),
    shutdown: () => Promise.resolve(),
  };
  const one = new WatchedExporter(exporter, {
    dropped: (reason, count) => heard.push(`dropped ${reason} ${count}`),
    exported: (count) => heard.push(`exported ${count}`),
    changed: (isWell, reason) => heard.push(isWell ? 'well' : `ill: ${reason}`),
  });
  const send = (count: number): void => {
    one.waiting += count;
    one.export(new Array<ReadableSpan>(count), () => undefined);
  };
  const answer = (code: ExportResultCode, message = ''): void =>
    answers.shift()?.(message === '' ? { code } : { code, error: new Error(message) });
  return { one, heard, send, answer };
}

describe('an exporter', () => {
  it('counts what was taken and what was not, and tells of changes once', () => {
    const { heard, send, answer } = watched();
    for (const count of [2, 3, 4, 5]) send(count);
    answer(ExportResultCode.SUCCESS);
    answer(ExportResultCode.FAILED, 'refused');
    answer(ExportResultCode.FAILED, 'refused again');
    answer(ExportResultCode.SUCCESS);
    expect(heard).toEqual(['exported 2', 'dropped export 3', 'ill: refused', 'dropped export 4', 'exported 5', 'well']);
  });

  it('knows what waits for it, and counts it as lost once when it is given up', () => {
    const { one, heard, send, answer } = watched();
    one.waiting = 7;
    send(3);
    expect(one.waiting).toBe(7);
    one.abandon();
    one.abandon();
    answer(ExportResultCode.SUCCESS);
    // Those that were on their way too; nobody waits for what becomes of them.
    expect(heard).toEqual(['dropped export 10']);
  });
}); // prettier-ignore

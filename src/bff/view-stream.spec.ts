import { describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { Caller } from '../calls/caller.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { HttpCaller } from '../upstreams/http/http-caller.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { Problem } from '../problems/problem.ts';
import { testExchange } from './bff-app.fixture.ts';
import { recordFormat, type RecordFormat } from './record-format.ts';
import { ViewRun } from './view-run.ts';
import { wholeOf } from './view-selection.ts';
import { ViewStream } from './view-stream.ts';
import { View } from './view.ts';

const metrics = new Metrics();
const registry = new UpstreamRegistry({}, pino({ level: 'silent' }), metrics);
const caller = new Caller(registry, new HttpCaller(metrics), new GrpcCaller(metrics));
const ndjson = recordFormat('application/x-ndjson') as RecordFormat;
const define = View.define('Streamed').input<object>();

function streamOf(view: View<object, object, string>): { stream: ViewStream; run: ViewRun } {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  // No socket is attached: the head goes nowhere.
  response.flushHeaders = () => {};
  const mode = { selection: wholeOf(view), within: undefined, endsAt: Infinity };
  const run = new ViewRun(view, {}, testExchange(request, response), { caller, metrics }, mode);
  return { stream: new ViewStream(run, ndjson), run };
}

describe(ViewStream.name, () => {
  it('makes a record when the client takes it, and not before', async () => {
    let made = 0;
    const large = { toJSON: () => ((made += 1), 'x'.repeat(200_000)) };
    const view = define
      .section('a', () => large)
      .section('b', () => large)
      .section('c', () => large);
    const { stream } = streamOf(view);
    await turn();
    expect(made).toBe(0);
    stream.read(0);
    await turn();
    expect(made).toBe(1);
    let size = 0;
    for await (const chunk of stream) size += (chunk as Buffer).length;
    expect([made, size > 600_000]).toEqual([3, true]);
  });

  it('ends with the first problem of a section that has to be there, and with nothing after it', async () => {
    const gone = (): Promise<string> => Promise.reject(new Problem('upstream-unreachable'));
    const { stream, run } = streamOf(
      define
        .required('a', gone)
        .required('b', gone)
        .section('c', () => 1),
    );
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { problem?: object });
    expect(lines.at(-1)).toMatchObject({ problem: { code: 'upstream-unreachable', section: 'a' } });
    expect(lines.filter(({ problem }) => problem !== undefined)).toHaveLength(1);
    expect(run.exchange.problem?.code).toBe('upstream-unreachable');
  });

  it('cancels what is under way when it is given up, and nothing when it is through', async () => {
    const left = streamOf(define.section('never', () => new Promise<string>(() => {})));
    left.stream.read(0);
    left.stream.destroy();
    await turn();
    expect(left.run.exchange.cancelled?.code).toBe('client-closed');
    const read = streamOf(define.section('now', () => 1));
    read.stream.resume();
    while (!read.stream.readableEnded) await turn();
    expect(read.run.exchange.cancelled).toBeUndefined();
  });

  it('writes server-sent events that are named', () => {
    const format = recordFormat('text/event-stream');
    expect(format?.open).toBe(': open\n\n');
    expect(format?.record('done', '{"a":"1\\n2"}')).toBe('event: done\ndata: {"a":"1\\n2"}\n\n');
  });
});

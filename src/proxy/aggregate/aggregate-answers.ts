import { Inject, Injectable } from '@nestjs/common';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { toProblem } from '../../problems/render-problem.ts';
import type { Aggregate } from '../../routing/aggregate/aggregate.ts';
import type { Route } from '../../routing/route.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { LOGGER } from '../../telemetry/telemetry.module.ts';
import { degradationsOf, serverTimingOf } from '../../upstreams/composition/composition-run.ts';
import { GrpcCaller } from '../../upstreams/grpc/grpc-caller.ts';
import { HttpCaller } from '../../upstreams/http/http-caller.ts';
import { Upstreams } from '../../upstreams/upstreams.ts';
import { AnswerWriter } from '../answer-writer.ts';
import { jsonEditOf } from '../json-edit.ts';
import { AggregateRun, type AggregateTools } from './aggregate-run.ts';
import { isLarger } from './json-size.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';

/** Answers the exchanges of routes that are composed of several calls. */
@Injectable()
export class AggregateAnswers {
  readonly #tools: AggregateTools;

  constructor(
    upstreams: Upstreams,
    http: HttpCaller,
    grpc: GrpcCaller,
    metrics: Metrics,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#tools = { upstreams, http, grpc, metrics, logger };
  }

  /** Answers one exchange; its stages were entered. */
  answer(exchange: Exchange, route: Route, aggregate: Aggregate): void {
    // The JSON is at hand before it is text: its edits are made there.
    const writer = new AnswerWriter(exchange, route, true);
    const run = new AggregateRun(route.id, aggregate, exchange, this.#tools);
    run
      .body()
      .then((body) => write(writer, { run, route, body }))
      .catch((error: unknown) => writer.fail(toProblem(error)));
  }
}

interface Composed {
  readonly run: AggregateRun;
  readonly route: Route;
  readonly body: Record<string, unknown>;
}

function write(writer: AnswerWriter, { run, route, body }: Composed): void {
  const { exchange } = run;
  const calls = run.started();
  const degraded = degradationsOf(calls);
  if (degraded.length > 0) exchange.degraded = body['degraded'] = degraded;
  const { maxAnswer } = run.aggregate;
  // Only what `each` has made can be larger than the answers that it was made of.
  if (run.scope.mapped > 0 && isLarger(body, maxAnswer)) throw tooLarge(maxAnswer);
  const bytes = encode(body, jsonEditOf(exchange, route));
  if (bytes.length > maxAnswer) throw tooLarge(maxAnswer);
  exchange.responseHeaders.push('server-timing', serverTimingOf(calls));
  writer.start(200, headOf(run, { route, length: bytes.length, isDegraded: degraded.length > 0 }));
  if (exchange.method !== 'HEAD') writer.data(bytes);
  writer.end();
}

function tooLarge(maxAnswer: number): Problem {
  const cause = new PlainFault(`the composed answer exceeds ${maxAnswer} bytes (aggregate.maxAnswer)`);
  return new Problem('upstream-response-invalid', { cause });
}

function encode(body: unknown, edit: ((json: unknown) => unknown) | undefined): Buffer {
  try {
    return Buffer.from(JSON.stringify(edit === undefined ? body : edit(body)));
  } catch (error) {
    // Fail closed: what is nested too deeply to be walked through can be neither masked nor written.
    throw new Problem('upstream-response-invalid', { cause: error });
  }
}

function headOf(
  { aggregate, freshness }: AggregateRun,
  {
    route,
    length,
    isDegraded,
  }: { readonly route: Route; readonly length: number; readonly isDegraded: boolean },
): string[] {
  const head = ['content-type', 'application/json', 'content-length', String(length)];
  // In the head, where the cache sees it: what is degraded must not outlive the trouble.
  const control = isDegraded ? 'no-store' : freshness.cacheControl(route.policies.cache?.ttl);
  if (control !== undefined) head.push('cache-control', control);
  if (aggregate.vary !== undefined) head.push('vary', aggregate.vary);
  return head;
}

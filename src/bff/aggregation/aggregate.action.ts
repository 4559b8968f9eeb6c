import { Inject, Injectable } from '@nestjs/common';
import { Caller } from '../../calls/caller.ts';
import type { OperationContract } from '../../contracts/operation-contract.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { toProblem } from '../../problems/render-problem.ts';
import type { Aggregate } from './aggregate.ts';
import type { Foreseen, ForeseenRequest } from '../../routing/foreseen.ts';
import { TemplateScope } from '../../templates/template-scope.ts';
import { jsonEditOf } from '../../routing/json-edit.ts';
import type { ActionInput, ActionKind, ContractInput, RouteAction } from '../../routing/route-action.ts';
import type { Route } from '../../routing/route.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { LOGGER } from '../../telemetry/telemetry.module.ts';
import { degradationsOf, serverTimingOf } from '../composition/composition-run.ts';
import type { AnswerSink } from '../../exchange/answer-sink.ts';
import { aggregateContract } from './aggregate-contract.ts';
import { runnableCalls, type RunnableCall } from './aggregate-calls.ts';
import { AggregateRun, type AggregateTools, type RunnableAggregate } from './aggregate-run.ts';
import { aggregateSource, type AggregateDefinition } from './aggregate.source.ts';
import { mayBeTold } from '../../exchange/timings.ts';
import { isLarger } from '../../exchange/json-size.ts';

/** Routes whose exchanges are answered with what several calls answer. */
@Injectable()
export class AggregateKind implements ActionKind {
  static readonly source = aggregateSource;
  readonly source = aggregateSource;
  readonly #tools: AggregateTools;

  constructor(caller: Caller, metrics: Metrics, @Inject(LOGGER) logger: Logger) {
    this.#tools = { caller, metrics, logger };
  }

  compile({ aggregate }: AggregateDefinition, { routeId }: ActionInput): RouteAction {
    return new AggregateAction(routeId, aggregate, this.#tools);
  }
}

class AggregateAction implements RouteAction {
  readonly kind = 'aggregate';
  readonly target: string;
  // The JSON is at hand before it is text: its edits are made there.
  readonly editsJson = true;
  readonly #aggregate: RunnableAggregate;
  readonly #tools: AggregateTools;

  constructor(name: string, aggregate: Aggregate, tools: AggregateTools) {
    this.target = [...new Set(aggregate.calls.map((call) => call.upstream))].join(',');
    this.#aggregate = { ...aggregate, name, runnable: runnableCalls(name, aggregate.calls) };
    this.#tools = tools;
  }

  answer(exchange: Exchange, route: Route, sink: AnswerSink): void {
    const run = new AggregateRun(this.#aggregate, exchange, this.#tools);
    run
      .body()
      .then((body) => write(sink, { run, route, body }))
      .catch((error: unknown) => sink.fail(toProblem(error)));
  }

  foresee(exchange: Exchange): Foreseen {
    const { calls, runnable, maxElements } = this.#aggregate;
    const scope = new TemplateScope(exchange, calls.length, maxElements);
    const requests = calls.map(({ name, upstream, dependencies, budgetMs, index }): ForeseenRequest => {
      const known = { name, upstream: exchange.snapshot?.upstreams.find(upstream) };
      const others = dependencies.map((place) => calls[place]?.name).join(', ');
      if (dependencies.length > 0) return { ...known, note: `cannot be told before ${others} has answered` };
      try {
        return { name, ...(runnable[index] as RunnableCall).foresee(exchange, scope, budgetMs) };
      } catch (error) {
        return { ...known, note: `not made: ${toProblem(error).code}, ${toProblem(error).message}` };
      }
    });
    return { requests };
  }

  contract({ components }: ContractInput): OperationContract {
    return aggregateContract(components);
  }
}

interface Composed {
  readonly run: AggregateRun;
  readonly route: Route;
  readonly body: Record<string, unknown>;
}

function write(sink: AnswerSink, { run, route, body }: Composed): void {
  const { exchange } = run;
  const calls = run.started();
  const degraded = degradationsOf(calls);
  if (degraded.length > 0) exchange.degraded = body['degraded'] = degraded;
  const { maxAnswer } = run.aggregate;
  // Only what `each` has made can be larger than the answers that it was made of.
  if (run.scope.mapped > 0 && isLarger(body, maxAnswer)) throw tooLarge(maxAnswer);
  const bytes = encode(body, jsonEditOf(exchange, route));
  if (bytes.length > maxAnswer) throw tooLarge(maxAnswer);
  if (mayBeTold(exchange)) exchange.responseHeaders.push('server-timing', serverTimingOf(calls));
  sink.start(200, headOf(run, { route, length: bytes.length, isDegraded: degraded.length > 0 }));
  if (exchange.method !== 'HEAD') sink.data(bytes);
  sink.end();
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
  const { isPersonal } = aggregate;
  const control = isDegraded
    ? 'no-store'
    : freshness.relayed({ silentMs: route.policies.cache?.ttl, isPersonal });
  if (control !== undefined) head.push('cache-control', control);
  if (aggregate.vary !== undefined) head.push('vary', aggregate.vary);
  return head;
}

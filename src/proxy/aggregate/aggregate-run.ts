import { fromJson, toJson } from '@bufbuild/protobuf';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { AggregateScope } from '../../routing/aggregate/aggregate-scope.ts';
import type { Aggregate, AggregateCall, GrpcOperation } from '../../routing/aggregate/aggregate.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { CompositionRun } from '../../upstreams/composition/composition-run.ts';
import { SectionRun, type SectionPlan } from '../../upstreams/composition/section-run.ts';
import type { GrpcCaller } from '../../upstreams/grpc/grpc-caller.ts';
import type { HttpCaller } from '../../upstreams/http/http-caller.ts';
import type { Upstreams } from '../../upstreams/upstreams.ts';
import { parseExact } from '../json-edit.ts';
import { AggregateFreshness } from './aggregate-freshness.ts';

/** What the runs of aggregated routes share. */
export interface AggregateTools {
  readonly upstreams: Upstreams;
  readonly http: HttpCaller;
  readonly grpc: GrpcCaller;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** One run of an aggregated route for one exchange; its calls are sections, as those of a view. */
export class AggregateRun extends CompositionRun<CallRun> {
  readonly aggregate: Aggregate;
  readonly scope: AggregateScope;
  readonly freshness: AggregateFreshness;
  readonly tools: AggregateTools;

  constructor(routeId: string, aggregate: Aggregate, exchange: Exchange, tools: AggregateTools) {
    super({ name: routeId, size: aggregate.calls.length, exchange, metrics: tools.metrics });
    this.aggregate = aggregate;
    this.tools = tools;
    this.scope = new AggregateScope(exchange, aggregate.calls.length, aggregate.maxElements);
    this.freshness = new AggregateFreshness(aggregate.isPersonal);
  }

  /**
   * Makes all calls and returns the body of the answer.
   *
   * @throws {Problem} of a required call, naming it; the reason of the cancellation of the exchange.
   */
  async body(): Promise<Record<string, unknown>> {
    const { scope, aggregate } = this;
    const answers = await this.shown(aggregate.calls.map((call) => this.at(call.index)));
    answers.forEach((answer, index) => (scope.answers[index] = answer));
    return aggregate.respond(scope);
  }

  override defect(section: SectionPlan, error: unknown): void {
    this.tools.logger.error(
      { id: this.exchange.id, call: section.name, err: error },
      'aggregated call failed',
    );
  }

  protected override create(index: number): CallRun {
    return new CallRun(this.aggregate.calls[index] as AggregateCall, this);
  }
}

/** One call of the run: waits for the answers that it needs, then asks its upstream. */
class CallRun extends SectionRun<AggregateCall> {
  readonly #run: AggregateRun;

  constructor(call: AggregateCall, run: AggregateRun) {
    super(call, run);
    this.#run = run;
  }

  protected override load(): Promise<unknown> {
    const { dependencies } = this.section;
    return dependencies.length === 0 ? this.#call() : this.#callAfter(dependencies);
  }

  async #callAfter(dependencies: readonly number[]): Promise<unknown> {
    const { scope } = this.#run;
    const waiting = dependencies.map((index) => this.#run.at(index).result);
    const answers = await Promise.all(waiting);
    dependencies.forEach((place, index) => (scope.answers[place] = answers[index]));
    return this.#call();
  }

  #call(): Promise<unknown> {
    const { operation, upstream: name } = this.section;
    const { tools, scope, exchange, freshness } = this.#run;
    const upstream = tools.upstreams.of(exchange, name);
    const limits = { exchange, timeoutMs: this.remainingMs() };
    if (operation.kind === 'grpc') return this.#unary(operation);
    const request = {
      method: 'GET',
      path: operation.target(scope),
      parse: parseExact,
      heard: (headers) => freshness.hear(headers),
    } as const satisfies Parameters<HttpCaller['json']>[1];
    return tools.http.json(upstream, request, limits);
  }

  async #unary(operation: GrpcOperation): Promise<unknown> {
    const { tools, scope, exchange } = this.#run;
    const { method, registry } = operation;
    const upstream = tools.upstreams.of(exchange, this.section.upstream);
    const limits = { exchange, timeoutMs: this.remainingMs() };
    const answer = await tools.grpc.unary(upstream, method, messageOf(operation, scope), limits);
    try {
      return toJson(method.output, answer, { registry, alwaysEmitImplicit: true });
    } catch (error) {
      throw new Problem('upstream-response-invalid', { cause: error });
    }
  }
}

function messageOf({ method, registry, input }: GrpcOperation, scope: AggregateScope) {
  const json = input(scope);
  try {
    return fromJson(method.input, json, { registry });
  } catch (error) {
    // The field names were checked at load: what does not fit is a value that came with the request.
    throw new Problem('request-invalid', { cause: error });
  }
}

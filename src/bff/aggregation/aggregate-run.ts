import type { ServedPart } from '../../calls/call.ts';
import type { Caller } from '../../calls/caller.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { CompositionRun } from '../composition/composition-run.ts';
import { SectionRun, type SectionPlan } from '../composition/section-run.ts';
import { Freshness } from '../composition/freshness.ts';
import type { RunnableCall } from './aggregate-calls.ts';
import { TemplateScope } from '../../templates/template-scope.ts';
import type { Aggregate, AggregateCall } from './aggregate.ts';

/** What the runs of aggregated routes share. */
export interface AggregateTools {
  readonly caller: Caller;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** An aggregated route, ready to run. */
export interface RunnableAggregate extends Aggregate {
  /** Name of the route, for metrics and logs. */
  readonly name: string;
  /** The calls, in the order of the file. */
  readonly runnable: readonly RunnableCall[];
}

/** One run of an aggregated route for one exchange; its calls are sections, as those of a view. */
export class AggregateRun extends CompositionRun<AggregateCallRun> {
  readonly aggregate: RunnableAggregate;
  readonly scope: TemplateScope;
  readonly freshness = new Freshness();
  readonly tools: AggregateTools;

  constructor(aggregate: RunnableAggregate, exchange: Exchange, tools: AggregateTools) {
    super({ name: aggregate.name, size: aggregate.calls.length, exchange, metrics: tools.metrics });
    this.aggregate = aggregate;
    this.tools = tools;
    this.scope = new TemplateScope(exchange, aggregate.calls.length, aggregate.maxElements);
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

  protected override logDefect(section: SectionPlan, error: unknown): void {
    this.tools.logger.error(
      { id: this.exchange.id, call: section.name, err: error },
      'aggregated call failed',
    );
  }

  protected override create(index: number): AggregateCallRun {
    return new AggregateCallRun(this.aggregate.calls[index] as AggregateCall, this);
  }
}

/** One call of the run: waits for the answers that it needs, then asks its upstream. */
class AggregateCallRun extends SectionRun<AggregateCall> {
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
    const { tools, scope, exchange, freshness, aggregate } = this.#run;
    const { tells, make } = aggregate.runnable[this.section.index] as RunnableCall;
    if (tells) freshness.expect();
    // Fails closed: what a service of gRPC answers may depend on who asks, and what the others say must not cover that.
    else freshness.silent();
    return make(tools.caller, scope, {
      exchange,
      timeoutMs: this.remainingMs(),
      served: this.#served,
      span: this.span,
    });
  }

  readonly #served = (part: ServedPart): void => {
    if (this.hasEnded) return;
    this.#run.freshness.hear(part);
    this.standIn(part);
  };
}

import { GraphQLError } from 'graphql';
import { StageAnswered } from '../../../exchange/stage-answer.ts';
import { passOn } from '../../../policies/seats.ts';
import { spendAt } from '../../../policies/spending.ts';
import { enterStages } from '../../../policies/stage.ts';
import { Problem } from '../../../problems/problem.ts';
import { unlessCancelled } from './cancelled.ts';
import { isFaults } from '../documents/documents.ts';
import { grant } from '../fields/field-policies.ts';
import { NO_POLICIES } from '../fields/operation-policies.ts';
import { failureOf, refusalValue, valueOf, withoutData } from './graphql-answer.ts';
import type { GraphqlRequest } from '../door/graphql-request.ts';
import type { GraphqlLimits } from '../door/graphql.options.ts';
import { OperationContext } from './operation-context.ts';
import { eventAnswers, openSource } from './operation-events.ts';
import type { OperationFinder } from '../documents/operation-finder.ts';
import type { OperationMeter } from './operation-meters.ts';
import { operationTraceOf, type OperationTrace } from './operation-trace.ts';
import { OperationPlan, showsPlan } from './operation-plan.ts';
import type { Answered, OperationResult, Refused, RefusedFor } from './operation-result.ts';
import type { OperationAsk } from './operation-runner.ts';
import { stagedResult } from './staged-result.ts';
import {
  requestedCost,
  tooDear,
  type PreparedOperation,
  type ShownCost,
} from '../documents/prepared-operation.ts';

type Errors = readonly GraphQLError[];

/** One run of one operation, from what a door has read to what became of it. */
export class OperationRun {
  readonly #ask: OperationAsk;
  readonly #finder: OperationFinder;
  readonly #limits: GraphqlLimits;
  #meter: OperationMeter;
  #prepared: PreparedOperation | undefined = undefined;
  /** Takes note of the execution, for who may see it. */
  #plan: OperationPlan | undefined = undefined;
  #cost: ShownCost | undefined = undefined;
  #granted: OperationContext['granted'] | undefined = undefined;
  #hasBegun = false;
  readonly #trace: OperationTrace | undefined;

  constructor(ask: OperationAsk, finder: OperationFinder, limits: GraphqlLimits) {
    this.#ask = ask;
    this.#finder = finder;
    this.#limits = limits;
    this.#meter = finder.meters.unknown;
    this.#trace = operationTraceOf(ask.exchange);
  }

  /** Runs it; never rejects. */
  result(): Promise<OperationResult> {
    const trace = this.#trace;
    return trace === undefined
      ? this.#result()
      : this.#result().then((result) => (trace.ended(result), result));
  }

  async #result(): Promise<OperationResult> {
    const { request, exchange, stages } = this.#ask;
    try {
      const entering = stages && enterStages(stages.first, exchange);
      passOn(entering instanceof Promise ? await entering : entering);
      if (typeof request === 'string') return this.#refuse('request', [new GraphQLError(request)]);
      if (showsPlan(this.#limits, exchange, request))
        this.#plan = new OperationPlan(this.#finder.originOf(request));
      const finding = this.#finder.find(request, exchange);
      const found = finding instanceof Promise ? await unlessCancelled(finding, exchange) : finding;
      if (isFaults(found)) return this.#refuse('document', found);
      this.#prepared = found;
      this.#trace?.found(found);
      this.#meter = found.meter;
      exchange.operation = found.meter.name;
      const refused = this.#refusedBefore(found, request);
      if (refused !== undefined) return refused;
      const spending = this.#cost && spendAt(exchange.route?.spending ?? [], exchange, this.#cost.requested);
      if (spending instanceof Promise) await unlessCancelled(spending, exchange);
      const isStream = found.operation.type === 'subscription';
      if (stages !== undefined && !isStream) passOn(await enterStages(stages.answer, exchange));
      if (found.requirements.length > 0) await this.#decide(found);
      return await (isStream ? this.#subscribe(found, request) : this.#execute(found, request));
    } catch (error) {
      return (stages && this.#answeredBy(error)) ?? this.#failed(error);
    }
  }

  #failed(error: unknown): OperationResult {
    const { exchange, stages } = this.#ask;
    // Breakers learn from it at the close; an exchange of HTTP is told by whoever answers.
    if (stages !== undefined)
      exchange.problem ??= error instanceof Problem ? error : new Problem('internal', { cause: error });
    this.#meter.threw(error, exchange.startedAt, this.#hasBegun ? 'failed' : 'refused');
    return { kind: 'failed', error: this.#endedBy(error) };
  }

  /** What a stage answers is sent over HTTP as it is; elsewhere it is the result of the operation. */
  #answeredBy(error: unknown): OperationResult | undefined {
    const value = error instanceof StageAnswered ? stagedResult(error.answer) : undefined;
    if (value === undefined) return undefined;
    const { errors = [], data } = value;
    this.#meter.ended(data === undefined ? 'refused' : 'ok', this.#ask.exchange.startedAt, errors);
    return data === undefined
      ? { kind: 'refused', why: 'request', value: { ...value, errors } }
      : { kind: 'answered', outcome: 'ok', value, changes: false, cache: NO_POLICIES.cache };
  }

  /** What speaks against an operation before anybody asks what its caller may. */
  #refusedBefore(prepared: PreparedOperation, { variables }: GraphqlRequest): Refused | undefined {
    const { takes } = this.#ask;
    const { type } = prepared.operation;
    if (type === 'subscription' && !takes.subscriptions) {
      const message = 'Subscriptions need a WebSocket or "Accept: text/event-stream".';
      return this.#refuse('subscription', [new GraphQLError(message)]);
    }
    if (type === 'mutation' && !takes.mutations)
      return this.#refuse('mutation', [new GraphQLError('A mutation needs a POST.')]);
    const { cost: limit } = this.#limits;
    const cost = (this.#cost = limit && requestedCost(prepared, variables, limit.max));
    if (cost === undefined) return undefined;
    this.#meter.costs(cost.requested);
    const isTooDear = limit?.mode === 'enforce' && !prepared.trusted && cost.requested > cost.max;
    return isTooDear ? this.#refuse('document', [tooDear(cost)]) : undefined;
  }

  /** @throws {Problem} `permission-denied` when a requirement that is no mask was not granted, where that costs it all. */
  async #decide({ requirements }: PreparedOperation): Promise<void> {
    const { exchange } = this.#ask;
    const granting = grant(requirements, exchange);
    const granted = granting instanceof Promise ? await unlessCancelled(granting, exchange) : granting;
    this.#granted = granted;
    if (this.#limits.denied !== 'operation') return;
    const lacking = requirements.find((one) => !one.masks && !granted.has(one));
    if (lacking !== undefined) throw new Problem('permission-denied', { by: lacking.by });
  }

  async #execute(prepared: PreparedOperation, { variables }: GraphqlRequest): Promise<OperationResult> {
    const { exchange } = this.#ask;
    const context = this.#context();
    this.#plan?.begin(context);
    this.#ask.begins?.(context);
    this.#hasBegun = true;
    const running = prepared.operation.run(context, variables);
    const outcome = running instanceof Promise ? await unlessCancelled(running, exchange) : running;
    if (outcome.data === undefined) return this.#refuse('document', outcome.errors ?? []);
    const cost = this.#cost && { cost: this.#cost };
    const plan = this.#plan && { plan: this.#plan.shown(prepared, variables) };
    const answer = valueOf(outcome, context, plan ? { ...cost, ...plan } : cost);
    this.#meter.ended(answer.outcome, exchange.startedAt, answer.value.errors);
    return { kind: 'answered', ...answer, ...endOf(prepared) };
  }

  async #subscribe(prepared: PreparedOperation, { variables }: GraphqlRequest): Promise<OperationResult> {
    const { exchange, stages, ended } = this.#ask;
    const opening = this.#context();
    this.#plan?.open(opening);
    this.#hasBegun = true;
    const source = await openSource(prepared.operation.subscribe(opening, variables), exchange, stages);
    if (Symbol.asyncIterator in source) {
      const answers = eventAnswers(source, {
        prepared,
        variables,
        plan: this.#plan,
        exchange,
        contextOf: () => this.#context(),
        fault: (error) => {
          this.#meter.threw(error, exchange.startedAt, 'failed');
          return failureOf(this.#endedBy(error), exchange);
        },
        meters: this.#finder.meters,
        trace: this.#trace,
        ended,
      });
      return { kind: 'opened', answers };
    }
    const refused = source.errors ?? [];
    // What a resolver throws is masked; what is wrong with the request is told.
    if (!refused.some(({ path }) => path !== undefined)) return this.#refuse('document', refused);
    const value = withoutData(source, opening);
    this.#meter.ended('failed', exchange.startedAt, value.errors);
    return { kind: 'answered', outcome: 'failed', value, ...endOf(prepared) };
  }

  #context(): OperationContext {
    const context = new OperationContext(this.#ask.exchange);
    if (this.#granted !== undefined) context.granted = this.#granted;
    this.#trace?.begins(context);
    return context;
  }

  #refuse(why: RefusedFor, errors: Errors): Refused {
    const shown = this.#cost && { cost: this.#cost };
    const value = refusalValue(errors, this.#limits.production, shown);
    this.#meter.ended('refused', this.#ask.exchange.startedAt, value.errors);
    return { kind: 'refused', why, value };
  }

  /** What ended an operation, with what was under way for who may see it. */
  #endedBy(error: unknown): unknown {
    const { request } = this.#ask;
    if (this.#plan === undefined || this.#prepared === undefined || typeof request === 'string') return error;
    return this.#plan.endedBy(error, this.#prepared, request.variables);
  }
}

function endOf({ operation, cache }: PreparedOperation): Pick<Answered, 'changes' | 'cache'> {
  return { changes: operation.type === 'mutation', cache };
}

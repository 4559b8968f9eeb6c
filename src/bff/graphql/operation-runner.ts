import { GraphQLError, type ExecutionResult, type FormattedExecutionResult } from 'graphql';
import { ServerResponse } from 'node:http';
import { forgetRuns } from '../../clients/reuse/call-memory.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { enterStages, type Stage } from '../../policies/stage.ts';
import { Problem } from '../../problems/problem.ts';
import type { Route } from '../../routing/route.ts';
import { isFaults } from './documents.ts';
import { EventStream } from './event-stream.ts';
import { grant } from './field-policies.ts';
import { refusedErrors, valueOf } from './graphql-answer.ts';
import type { GraphqlRequest } from './graphql-request.ts';
import type { GraphqlLimits } from './graphql.options.ts';
import { OperationContext } from './operation-context.ts';
import type { RouteOf } from './graphql.route.ts';
import type { OperationMeter } from './operation-meters.ts';
import { OperationPlan, showsPlan } from './operation-plan.ts';
import type { OperationFinder } from './operation-finder.ts';
import { requestedCost, tooDear, type PreparedOperation } from './prepared-operation.ts';

/** What an operation on a socket or a stream ends in: one answer, or one for each event. */
export type Started = FormattedExecutionResult | AsyncGenerator<FormattedExecutionResult>;

/** An operation that was found, with what it is run with. */
interface Asked {
  readonly prepared: PreparedOperation;
  readonly variables: GraphqlRequest['variables'];
  /** Takes note of the execution, for who may see it. */
  readonly plan: OperationPlan | undefined;
}

/** What the door of an operation says about it. */
export interface StartOptions {
  /** Refuses mutations: for requests by GET, which others can cause. */
  readonly readsOnly?: boolean;
  /** Whether a request of its own came with the operation, whose stages have charged it already. */
  readonly charged?: boolean;
}

/** The stages that every operation of a socket meets again; who calls was found out once, for the socket. */
const PER_OPERATION: ReadonlySet<string> = new Set(['authorize', 'limit']);

/**
 * Runs operations that do not come as one HTTP request each: over WebSocket and Server-Sent Events. Each gets an
 * exchange of its own, with the principal of its socket, and the same limits and policies as over HTTP.
 */
export class OperationRunner {
  readonly #finder: OperationFinder;
  readonly #limits: GraphqlLimits;
  readonly #routeOf: RouteOf;
  /** The stages of a route that operations enter. */
  readonly #stages = new WeakMap<
    Route,
    { readonly charging: readonly Stage[]; readonly deadline: readonly Stage[] }
  >();

  constructor(routeOf: RouteOf, finder: OperationFinder, limits: GraphqlLimits) {
    this.#finder = finder;
    this.#limits = limits;
    this.#routeOf = routeOf;
  }

  /** Starts an operation; never rejects, what is wrong is an answer with errors and without data. */
  async start(
    request: GraphqlRequest,
    socket: Exchange,
    { readsOnly = false, charged = false }: StartOptions = {},
  ): Promise<Started> {
    const exchange = operationExchange(socket);
    let meter = this.#finder.meters.unknown;
    let asked: Asked | undefined;
    try {
      // Before its document is looked at: what is read and kept for who is over his limit was free.
      if (!charged) await enterStages(this.#stagesOf(exchange).charging, exchange);
      const plan = showsPlan(this.#limits, exchange, request)
        ? new OperationPlan(this.#finder.originOf(request))
        : undefined;
      const found = await this.#finder.find(request, exchange);
      if (isFaults(found)) return this.#end(exchange, found, meter);
      meter = found.meter;
      if (readsOnly && found.operation.type === 'mutation')
        return this.#end(exchange, [new GraphQLError('A mutation needs a POST.')], meter);
      asked = { prepared: found, variables: request.variables, plan };
      return await this.#run(asked, exchange);
    } catch (error) {
      return this.#failed(exchange, error === exchange.cancelled ? endedBy(error, asked) : error, meter);
    }
  }

  #stagesOf(exchange: Exchange) {
    const route = this.#routeOf(exchange);
    let stages = this.#stages.get(route);
    if (stages === undefined) {
      const charging = route.stages.filter(({ name }) => PER_OPERATION.has(name));
      const deadline = route.stages.filter(({ name }) => name === 'deadline');
      this.#stages.set(route, (stages = { charging, deadline }));
    }
    return stages;
  }

  async #run(asked: Asked, exchange: Exchange): Promise<Started> {
    const { prepared, variables, plan } = asked;
    const { meter, operation, requirements } = prepared;
    const { cost: limit, denied } = this.#limits;
    const cost = limit && requestedCost(prepared, variables, limit.max);
    if (cost !== undefined) meter.costs(cost.requested);
    if (cost !== undefined && limit?.mode === 'enforce' && !prepared.trusted && cost.requested > cost.max)
      return this.#end(exchange, [tooDear(cost)], meter);
    const isStream = operation.type === 'subscription';
    // A subscription has no deadline; its socket has an age.
    if (!isStream) await enterStages(this.#stagesOf(exchange).deadline, exchange);
    const granted = await grant(requirements, exchange);
    const lacking =
      denied === 'operation' ? requirements.find((one) => !one.masks && !granted.has(one)) : undefined;
    if (lacking !== undefined) throw new Problem('permission-denied', { by: lacking.by });
    const contextOf = (): OperationContext => Object.assign(new OperationContext(exchange), { granted });
    if (isStream) return this.#subscribe(asked, contextOf);
    const context = contextOf();
    plan?.begin(context);
    const outcome = await raced(operation.run(context, variables), exchange);
    if (outcome.data === undefined) return this.#end(exchange, outcome.errors ?? [], meter);
    exchange.close();
    const shown = { ...(cost && { cost }), ...(plan && { plan: plan.shown(prepared, variables) }) };
    const answer = valueOf(outcome, context, cost || plan ? shown : undefined);
    meter.ended(answer.outcome, exchange.startedAt, answer.value.errors);
    return answer.value;
  }

  async #subscribe(asked: Asked, contextOf: () => OperationContext): Promise<Started> {
    const { prepared, variables, plan } = asked;
    const { operation, meter } = prepared;
    const opening = contextOf();
    const { exchange } = opening;
    plan?.open(opening);
    const source = await operation.subscribe(opening, variables);
    if (!(Symbol.asyncIterator in source)) {
      const refused = source.errors ?? [];
      const isFault = refused.some(({ path }) => path !== undefined);
      // What a resolver throws is masked; what is wrong with the request is told.
      return isFault ? this.#mask(source, opening, meter) : this.#end(exchange, refused, meter);
    }
    const { meters } = this.#finder;
    meters.opened();
    const answers = new EventStream(source, {
      answer: async (event: unknown) => {
        const startedAt = performance.now();
        // What calls read for the last event is not what this one should see, and nobody reads how they were made.
        forgetRuns(exchange);
        exchange.attempts.length = 0;
        // One context for each event: what one answer collects is not part of the next.
        const context = contextOf();
        plan?.begin(context);
        const outcome = await operation.event(event, context, variables);
        const answer = valueOf(outcome, context, plan && { plan: plan.shown(prepared, variables) });
        meter.ended(answer.outcome, startedAt, answer.value.errors);
        return answer.value;
      },
      fault: (error) => this.#failed(exchange, endedBy(error, asked), meter),
      onEnd: () => {
        meters.closed();
        endExchange(exchange);
      },
    });
    exchange.onCancel(() => void answers.return());
    return answers;
  }

  #mask(
    outcome: ExecutionResult,
    context: OperationContext,
    meter: OperationMeter,
  ): FormattedExecutionResult {
    const { exchange } = context;
    exchange.close();
    const { errors = [] } = valueOf({ ...outcome, data: null }, context).value;
    meter.ended('failed', exchange.startedAt, errors);
    return { errors };
  }

  #end(
    exchange: Exchange,
    refused: readonly GraphQLError[],
    meter: OperationMeter,
  ): FormattedExecutionResult {
    exchange.close();
    const errors = refusedErrors(refused, this.#limits.production);
    meter.ended('refused', exchange.startedAt, errors);
    return { errors };
  }

  #failed(exchange: Exchange, error: unknown, meter: OperationMeter): FormattedExecutionResult {
    exchange.close();
    meter.threw(error, exchange.startedAt);
    const problem = error instanceof Problem ? error : new Problem('internal', { cause: error });
    const wrapped = new GraphQLError(problem.message, { originalError: problem });
    const { errors = [] } = valueOf({ errors: [wrapped], data: null }, new OperationContext(exchange)).value;
    return { errors };
  }
}

/** What ended an operation, with what was under way for who may see it. */
function endedBy(error: unknown, asked: Asked | undefined): unknown {
  return asked?.plan === undefined ? error : asked.plan.endedBy(error, asked.prepared, asked.variables);
}

/** An exchange for one operation of a socket: its own cancellation and limits, the principal of the socket. */
function operationExchange(socket: Exchange): Exchange {
  const { id, trace, clientAddress, scheme, host, path, query, request, snapshot } = socket;
  // Nothing is ever written to it; what it says goes over the socket.
  const response = new ServerResponse(request);
  const opening = { id, trace, clientAddress, scheme, host, path, query, request, response, snapshot };
  const exchange = new Exchange(opening);
  exchange.route = socket.route;
  exchange.principal = socket.principal;
  const cancel = (reason: Problem): void => exchange.cancel(reason);
  socket.onCancel(cancel);
  exchange.onClosed(() => socket.offCancel(cancel));
  return exchange;
}

function endExchange(exchange: Exchange): void {
  exchange.cancel(new Problem('client-closed'));
  exchange.close();
}

function raced(
  running: ExecutionResult | Promise<ExecutionResult>,
  exchange: Exchange,
): ExecutionResult | Promise<ExecutionResult> {
  if (!(running instanceof Promise)) return running;
  return new Promise((resolve, reject) => {
    exchange.onCancel(reject);
    running.then(resolve, reject).finally(() => exchange.offCancel(reject));
  });
}

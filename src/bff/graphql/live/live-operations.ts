import type { FormattedExecutionResult } from 'graphql';
import type { Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import type { Route } from '../../../routing/route.ts';
import { failureOf } from '../execution/graphql-answer.ts';
import type { GraphqlRequest } from '../door/graphql-request.ts';
import type { RouteOf } from '../door/graphql.route.ts';
import { credit, forkOf } from '../execution/operation-exchange.ts';
import type { OperationResult } from '../execution/operation-result.ts';
import type { OperationRunner, OwnStages } from '../execution/operation-runner.ts';

/** What an operation on a socket or a stream ends in: one answer, or one for each event. */
export type Started = FormattedExecutionResult | AsyncGenerator<FormattedExecutionResult>;

/** A socket or a stream, with the operations that live on it. */
export interface OperationHost {
  /** As errors call it. */
  readonly kind: 'socket' | 'stream';
  readonly exchange: Exchange;
  /** How many of its operations run, those included that the client has completed and that have not ended yet. */
  readonly running: number;
  /** Called when one begins. */
  started(): void;
  /** Called when one has ended. */
  finished(): void;
}

/** An operation that a client of a socket or a stream asks for. */
export interface LiveAsk {
  /** What was asked for; a sentence when it is no request of GraphQL. */
  readonly request: GraphqlRequest | string;
  readonly host: OperationHost;
  /** Whether it came by GET, which others can cause. */
  readonly readsOnly: boolean;
  /** Whether a request of its own came with it, whose stages have charged it already. */
  readonly charged: boolean;
}

/**
 * Starts operations that live on a connection of several: each in an exchange of its own, with the principal of its
 * connection, and a bounded number at once. What they do shows on the access line of the connection.
 */
export class LiveOperations {
  readonly #runner: OperationRunner;
  readonly #perHost: number;
  readonly #routeOf: RouteOf;
  /** What is entered under each configuration that some connection has. */
  readonly #stages = new WeakMap<Route, LiveStages>();

  /** @param perHost most operations at once on one socket or stream. */
  constructor(routeOf: RouteOf, runner: OperationRunner, perHost: number) {
    this.#routeOf = routeOf;
    this.#runner = runner;
    this.#perHost = perHost;
  }

  /** Starts an operation; never rejects, what is wrong is an answer with errors and without data. */
  async start({ request, host, readsOnly, charged }: LiveAsk): Promise<Started> {
    const exchange = forkOf(host.exchange);
    if (host.running >= this.#perHost) return this.#refuse(exchange, host);
    host.started();
    const ended = atEnd(host, exchange);
    const result = await this.#runner.run({
      request,
      exchange,
      takes: { mutations: !readsOnly, subscriptions: true },
      stages: this.#stagesOf(exchange)[charged ? 'charged' : 'whole'],
      ended,
    });
    if (result.kind === 'opened') return result.answers;
    const value = valueOf(result, exchange);
    ended();
    return value;
  }

  #stagesOf(exchange: Exchange): LiveStages {
    const route = this.#routeOf(exchange);
    let stages = this.#stages.get(route);
    if (stages === undefined) this.#stages.set(route, (stages = stagesOf(route)));
    return stages;
  }

  #refuse(exchange: Exchange, { kind }: OperationHost): FormattedExecutionResult {
    const detail = `At most ${this.#perHost} operations run at once on one ${kind}.`;
    const problem = new Problem('rate-limited', { detail, by: 'perSocket' });
    this.#runner.refused(problem, exchange);
    const value = failureOf(problem, exchange);
    exchange.close();
    return value;
  }
}

/** Of an operation that comes alone, and of one whose request has been charged. */
interface LiveStages {
  readonly whole: OwnStages;
  readonly charged: OwnStages;
}

function stagesOf({ live, seats: { deadline } }: Route): LiveStages {
  const late = { answer: live.answer, opening: deadline === undefined ? [] : [deadline] };
  return { whole: { first: live.operation, ...late }, charged: { first: [], ...late } };
}

/** Makes what ends an operation. Who leaves has his access line written at once: what is under way is on it. */
function atEnd(host: OperationHost, exchange: Exchange): () => void {
  const connection = host.exchange;
  let isCredited = false;
  const creditOnce = (): void => {
    // A reserved stream may have been opened since.
    if (!isCredited) credit(host.exchange, exchange);
    isCredited = true;
  };
  connection.onCancel(creditOnce);
  return () => {
    connection.offCancel(creditOnce);
    creditOnce();
    // Nobody reads what is still under way for it.
    exchange.cancel(new Problem('client-closed'));
    exchange.close();
    host.finished();
  };
}

function valueOf(
  result: Exclude<OperationResult, { readonly kind: 'opened' }>,
  exchange: Exchange,
): FormattedExecutionResult {
  return result.kind === 'failed' ? failureOf(result.error, exchange) : result.value;
}

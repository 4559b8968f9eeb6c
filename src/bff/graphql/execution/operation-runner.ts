import type { Exchange } from '../../../exchange/exchange.ts';
import type { Stage } from '../../../policies/stage.ts';
import type { GraphqlRequest } from '../door/graphql-request.ts';
import type { GraphqlLimits } from '../door/graphql.options.ts';
import type { OperationContext } from './operation-context.ts';
import type { OperationFinder } from '../documents/operation-finder.ts';
import type { OperationMeters } from './operation-meters.ts';
import type { OperationResult } from './operation-result.ts';
import { OperationRun } from './operation-run.ts';

/** The stages of the route that the request of an operation has not met. */
export interface OwnStages {
  /** What is entered before the document is looked at: what is read and kept for who is over his limit was free. */
  readonly first: readonly Stage[];
  /** What one answer is entered for, once the operation is found. */
  readonly answer: readonly Stage[];
  /** What bounds the time in which a subscription has to open; it may stay then. */
  readonly opening: readonly Stage[];
}

/** An operation that a door wants run. */
export interface OperationAsk {
  /** What was asked for; a sentence when it is no request of GraphQL. */
  readonly request: GraphqlRequest | string;
  /** Of this operation alone. */
  readonly exchange: Exchange;
  /** What the door takes besides queries. */
  readonly takes: { readonly mutations: boolean; readonly subscriptions: boolean };
  /** Absent when it came as a request of its own. */
  readonly stages?: OwnStages | undefined;
  /** Called when it is about to run. */
  readonly begins?: ((context: OperationContext) => void) | undefined;
  /** Called once when its subscription ends. */
  readonly ended?: (() => void) | undefined;
}

/**
 * Runs operations, the same way at every door: over HTTP, on streams of events and on sockets. A door reads what its
 * client sent, and says in its own way what became of it.
 */
export class OperationRunner {
  readonly #finder: OperationFinder;
  readonly #limits: GraphqlLimits;

  constructor(finder: OperationFinder, limits: GraphqlLimits) {
    this.#finder = finder;
    this.#limits = limits;
  }

  /** Counts what is asked for. */
  get meters(): OperationMeters {
    return this.#finder.meters;
  }

  /** Runs an operation; never rejects. */
  run(ask: OperationAsk): Promise<OperationResult> {
    return new OperationRun(ask, this.#finder, this.#limits).result();
  }

  /** Takes note of an operation that the stages of its request have refused. */
  refused(error: unknown, { startedAt }: Exchange): void {
    this.meters.unknown.threw(error, startedAt, 'refused');
  }
}

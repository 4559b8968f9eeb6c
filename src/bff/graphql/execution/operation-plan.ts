import { CallLog } from '../../../calls/call-log.ts';
import type { StreamRecord } from '../../../calls/stream-log.ts';
import { followCalls } from '../../../calls/reuse/call-memory.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import { currentPlace } from './field-places.ts';
import type { GraphqlRequest } from '../door/graphql-request.ts';
import type { GraphqlLimits } from '../door/graphql.options.ts';
import type { OperationContext } from './operation-context.ts';
import { callEntry, rounded, streamEntry } from './plan-entries.ts';
import { requestedCost, type PreparedOperation } from '../documents/prepared-operation.ts';

/** The request header field that asks for the plan. */
const PLAN_FIELD = 'x-gatehouse-plan';
/** Bounds what one answer shows of an operation that makes a call per element, or of a source that asks again and again. */
const MOST_SHOWN = 200;

/** Where the document of a request came from, before it was found. */
export interface DocumentOrigin {
  /** SHA-256 of its text. */
  readonly hash: string;
  /** Checked in, sent by its hash alone, sent as a text that was known, or as one that was not. */
  readonly source: 'trusted' | 'persisted' | 'cached' | 'new';
}

/**
 * Whether a request gets to see its plan: it asks for it, and its principal has a role that may. For all others
 * nothing tells that there is such a thing.
 */
export function showsPlan(
  { plan }: GraphqlLimits,
  { principal, request }: Exchange,
  { extensions }: GraphqlRequest,
): boolean {
  // Fails closed: without a configured role nobody sees one.
  if (plan === undefined || principal === undefined) return false;
  if (request.headers[PLAN_FIELD] !== '1' && extensions?.['plan'] !== true) return false;
  return plan.anyRole.some((role) => principal.roles.includes(role));
}

/** How one operation was executed: what it costs and which calls were really made for it. */
export class OperationPlan {
  readonly #document: DocumentOrigin;
  #log: CallLog | undefined = undefined;
  #exchange: Exchange | undefined = undefined;
  #isSubscription = false;
  #startedAt = 0;

  constructor(document: DocumentOrigin) {
    this.#document = document;
  }

  /**
   * Watches a subscription that is about to be opened. What its source does from here on, and from each event on to the
   * next one, belongs to the execution for the next event.
   */
  open(context: OperationContext): void {
    this.#isSubscription = true;
    this.begin(context);
  }

  /** Watches an execution that is about to begin; of a subscription, that for one event. */
  begin(context: OperationContext): void {
    this.#startedAt = performance.now();
    this.#exchange = context.exchange;
    context.plan = this;
    if (this.#log === undefined) this.#follow();
  }

  /** What `extensions.plan` shows of an execution that has ended. Times in ms. */
  shown(
    prepared: PreparedOperation,
    variables: GraphqlRequest['variables'],
  ): Readonly<Record<string, unknown>> {
    const { operation, costs = () => [] } = prepared;
    const { records, streams, more } = this.#log ?? new CallLog();
    if (this.#isSubscription) this.#follow(streams);
    const total = requestedCost(prepared, variables, Infinity)?.requested;
    return {
      document: this.#document,
      execution: operation.state === 'compiled' ? 'compiled' : 'interpreted',
      durationMs: rounded(performance.now() - this.#startedAt),
      cost: { ...(total === undefined ? {} : { total }), fields: costs(variables) },
      calls: records.map((record) => callEntry(record, this.#startedAt)),
      ...(more.calls > 0 ? { moreCalls: more.calls } : {}),
      ...(streams.length > 0 ? { streams: streams.map(streamEntry) } : {}),
      ...(more.streams > 0 ? { moreStreams: more.streams } : {}),
    };
  }

  /**
   * What ended an operation, with the plan of what was under way when it is a problem and the execution had begun.
   *
   * @returns the same error when it is anything else.
   */
  endedBy(error: unknown, prepared: PreparedOperation, variables: GraphqlRequest['variables']): unknown {
    if (!(error instanceof Problem) || this.#log === undefined) return error;
    return error.with({ plan: this.shown(prepared, variables) });
  }

  /** Begins a log, with the streams that are still open. */
  #follow(streams: readonly StreamRecord[] = []): void {
    const log = (this.#log = new CallLog(currentPlace, MOST_SHOWN));
    for (const one of streams) if (one.outcome === undefined) log.noteStream(one);
    if (this.#exchange !== undefined) followCalls(this.#exchange, log);
  }
}

import { CallLog, type CallRecord } from '../../clients/call-log.ts';
import { followCalls } from '../../clients/reuse/call-memory.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { currentPlace } from './field-places.ts';
import type { GraphqlRequest } from './graphql-request.ts';
import type { GraphqlLimits } from './graphql.options.ts';
import { pathOf, type OperationContext, type ResponsePath } from './operation-context.ts';
import { requestedCost, type PreparedOperation } from './prepared-operation.ts';

/** The request header field that asks for the plan. */
const PLAN_FIELD = 'x-gatehouse-plan';
/** Bounds what one answer shows of an operation that makes a call per element. */
const MAX_CALLS = 200;

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
  #log = new CallLog();
  #startedAt = 0;

  constructor(document: DocumentOrigin) {
    this.#document = document;
  }

  /** Watches an execution that is about to begin; of a subscription, that for one event. */
  begin(context: OperationContext): void {
    this.#startedAt = performance.now();
    this.#log = new CallLog(currentPlace);
    context.plan = this;
    followCalls(context.exchange, this.#log);
  }

  /** What `extensions.plan` shows of an execution that has ended. Times in ms. */
  shown(
    prepared: PreparedOperation,
    variables: GraphqlRequest['variables'],
  ): Readonly<Record<string, unknown>> {
    const { operation, costs = () => [] } = prepared;
    const { records } = this.#log;
    const total = requestedCost(prepared, variables, Infinity)?.requested;
    return {
      document: this.#document,
      execution: operation.state === 'compiled' ? 'compiled' : 'interpreted',
      durationMs: rounded(performance.now() - this.#startedAt),
      cost: { ...(total === undefined ? {} : { total }), fields: costs(variables) },
      calls: records.slice(0, MAX_CALLS).map((record) => this.#call(record)),
      ...(records.length > MAX_CALLS ? { moreCalls: records.length - MAX_CALLS } : {}),
    };
  }

  #call(record: CallRecord): Readonly<Record<string, unknown>> {
    const { call, upstream, source, by, place, attempts, outcome, part, startedAt } = record;
    // A section can end before its call does, because its time is up.
    const durationMs = outcome === undefined ? performance.now() - startedAt : record.durationMs;
    return {
      call,
      upstream,
      source,
      ...(by === undefined ? {} : { section: by }),
      path: place === undefined ? null : pathOf(place as ResponsePath),
      startMs: rounded(startedAt - this.#startedAt),
      durationMs: rounded(durationMs),
      attempts: attempts.map((one) => one.outcome),
      outcome: outcome ?? 'pending',
      ...(part?.code === undefined ? {} : { because: part.code }),
    };
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}

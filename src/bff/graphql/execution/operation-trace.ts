import type { SpanLog, SpanNote } from '../../../telemetry/span-log.ts';
import { isSampled } from '../../../telemetry/trace-context.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import type { PreparedOperation } from '../documents/prepared-operation.ts';
import { currentField } from './field-places.ts';
import type { OperationContext } from './operation-context.ts';
import type { OperationResult } from './operation-result.ts';
import type { OperationOutcome } from './operation-meters.ts';

const FAULTS: ReadonlySet<string> = new Set(['failed']);

/** What is noted of one operation for its spans: itself, and the resolvers that make calls. */
export class OperationTrace {
  readonly #log: SpanLog;
  readonly #exchange: Exchange;
  readonly #resolvers = new WeakMap<object, SpanNote>();
  #note: SpanNote | undefined = undefined;
  #event: SpanNote | undefined = undefined;

  constructor(exchange: Exchange, log: SpanLog) {
    this.#exchange = exchange;
    this.#log = log;
  }

  /** Takes note that it begins, once it is known what was asked for. */
  found({ operation }: PreparedOperation): void {
    const { type, name } = operation;
    this.#note = this.#log.begin('operation', type, undefined, { type, name });
  }

  /** Has an execution take note of its resolvers; only of one whose spans are sampled, because that is not for nothing. */
  begins(context: OperationContext): void {
    if (!isSampled(this.#exchange.trace)) return;
    context.isTraced = true;
    this.#log.placeOf = () => this.#current();
  }

  /** Takes note of how it ended. */
  ended(result: OperationResult): void {
    if (result.kind === 'opened') return;
    const outcome = result.kind === 'answered' ? result.outcome : result.kind;
    this.#note?.end(outcome, FAULTS.has(outcome));
  }

  /** Takes note that an event of a subscription is being answered. */
  eventBegins(): void {
    this.#event = this.#log.begin('event', 'subscription', this.#note);
  }

  /** Takes note of how that ended: its spans go out now, for the subscription may last. */
  eventEnded(outcome: OperationOutcome): void {
    this.#event?.end(outcome, FAULTS.has(outcome));
    this.#event = undefined;
    this.#exchange.trace.carrier?.flush(this.#exchange);
  }

  /** Takes note that a subscription has ended. */
  closed(): void {
    this.#note?.end('ok', false);
  }

  #current(): SpanNote | undefined {
    const field = currentField();
    const within = this.#event ?? this.#note;
    if (field === undefined) return within;
    const known = this.#resolvers.get(field);
    if (known !== undefined) return known;
    const note = this.#log.begin('resolver', `${field.parentType.name}.${field.fieldName}`, within);
    if (note !== undefined) this.#resolvers.set(field, note);
    return note ?? within;
  }
}

/** What is noted of an operation; undefined where nobody reads it. */
export function operationTraceOf(exchange: Exchange): OperationTrace | undefined {
  const { spans } = exchange.trace;
  return spans === undefined ? undefined : new OperationTrace(exchange, spans);
}

import type { IncomingMessage } from 'node:http';
import { connectionOf } from '../exchange/client-connection.ts';
import { formOfPeer } from '../exchange/address-form.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { SpanLog, type SpanNote } from '../telemetry/span-log.ts';
import {
  traceparentOf,
  type TraceCarrier,
  type TraceContext,
  type TracedExchange,
} from '../telemetry/trace-context.ts';
import { allowedBaggage } from './baggage.ts';
import { readB3, readW3c, type CallerContext } from './caller-context.ts';
import { exchangeFault } from './exchange-fault.ts';
import { FollowedTrace } from './followed-trace.ts';
import type { TracingRules } from './tracing-rules.ts';

/** Who makes spans of what was noted, and sends them on. Never throws, and never makes anybody wait. */
export interface SpanSink {
  /** Takes an exchange that has ended, and what was noted of it. */
  ended(exchange: Exchange, trace: FollowedTrace): void;
  /** Takes notes of an exchange that goes on. */
  noted(trace: FollowedTrace, notes: readonly SpanNote[]): void;
}

/** How traces begin, go on and end under one configuration. */
export class Tracing implements TraceCarrier {
  readonly #rules: TracingRules;
  readonly #sink: SpanSink | undefined;

  /** @param sink undefined where no spans are made: traces only go on. */
  constructor(rules: TracingRules, sink: SpanSink | undefined) {
    this.#rules = rules;
    this.#sink = sink;
  }

  /** The trace of a request: the caller's where it is trusted, else one that begins. */
  begin(request: IncomingMessage): TraceContext {
    const { headers, socket } = request;
    const said = this.#read(request);
    const mayTell = said !== undefined || headers['baggage'] !== undefined;
    const isTrusted =
      mayTell && this.#rules.trusts(connectionOf(socket)?.peer ?? formOfPeer(socket.remoteAddress ?? ''));
    return new FollowedTrace({
      rules: this.#rules,
      carrier: this,
      spans: this.#sink && new SpanLog(),
      caller: isTrusted ? said : undefined,
      stranger: isTrusted ? undefined : said,
      baggage: isTrusted ? allowedBaggage(headers['baggage'], this.#rules.baggage) : undefined,
    });
  }

  follow(traced: TracedExchange): void {
    const { trace } = traced;
    if (!(trace instanceof FollowedTrace)) return;
    const exchange = traced as Exchange;
    if (!trace.isPart) trace.exchange = exchange;
    const { spans } = trace;
    if (spans === undefined) return;
    exchange.onClosed(() => this.#closed(exchange, trace));
  }

  flush(traced: TracedExchange): void {
    const { trace } = traced;
    const spans = trace instanceof FollowedTrace ? trace.spans : undefined;
    if (spans === undefined || !(trace instanceof FollowedTrace)) return;
    const ended = spans.takeEnded();
    const isKept = trace.isSampled || (trace.routeRules.errors && ended.some(isFaultyEvent));
    if (ended.length > 0 && isKept) this.#sink?.noted(trace, ended);
  }

  fork(trace: TraceContext): TraceContext {
    if (!(trace instanceof FollowedTrace)) return trace;
    const spans = trace.spans && new SpanLog();
    const { rules, baggage } = trace;
    return new FollowedTrace(
      { rules, carrier: this, spans, caller: undefined, stranger: undefined, baggage },
      trace,
    );
  }

  addTo(fields: string[], trace: TraceContext): void {
    const { send } = this.#rules;
    if (send.w3c) {
      fields.push('traceparent', traceparentOf(trace));
      const { state } = trace;
      if (state !== undefined) fields.push('tracestate', state);
    }
    if (send.b3 || send.b3multi) this.#addB3(fields, trace as FollowedTrace);
    const { baggage } = trace as FollowedTrace;
    if (baggage !== undefined) fields.push('baggage', baggage);
  }

  withParent(fields: readonly string[], trace: TraceContext, spanId: string): readonly string[] {
    if (!(trace as FollowedTrace).isSampled) return fields;
    const out = [...fields];
    for (let i = 0; i < out.length; i += 2) {
      const name = out[i];
      if (name === 'traceparent') out[i + 1] = traceparentOf({ ...plainOf(trace), spanId });
      else if (name === 'b3') out[i + 1] = b3Of(trace as FollowedTrace, spanId);
      else if (name === 'x-b3-spanid') out[i + 1] = spanId;
    }
    return out;
  }

  #read({ headers }: IncomingMessage): CallerContext | undefined {
    const { accept } = this.#rules;
    return (accept.w3c ? readW3c(headers) : undefined) ?? (accept.b3 ? readB3(headers) : undefined);
  }

  #addB3(fields: string[], trace: FollowedTrace): void {
    const { send } = this.#rules;
    if (send.b3) fields.push('b3', b3Of(trace, trace.spanId));
    if (!send.b3multi) return;
    fields.push('x-b3-traceid', trace.traceId, 'x-b3-spanid', trace.spanId);
    // A decision is said by the one or the other.
    if (trace.debug) fields.push('x-b3-flags', '1');
    else fields.push('x-b3-sampled', trace.isSampled ? '1' : '0');
  }

  #closed(exchange: Exchange, trace: FollowedTrace): void {
    const { spans } = trace;
    if (spans === undefined) return;
    spans.isKept = this.#isKept(exchange, trace);
    if (spans.isKept) this.#sink?.ended(exchange, trace);
    // What comes later, such as of a run that others wait for as well, has nobody who would read it.
    spans.end();
  }

  #isKept(exchange: Exchange, trace: FollowedTrace): boolean {
    if (trace.isSampled) return true;
    const { slowMs } = this.#rules;
    const isSlow = slowMs !== Infinity && performance.now() - exchange.startedAt > slowMs;
    // A WebSocket takes as long as its two sides want.
    if (isSlow && exchange.socket === undefined) return true;
    return trace.routeRules.errors && isFault(exchange, trace);
  }
}

function isFaultyEvent({ sort, isFault }: SpanNote): boolean {
  return sort === 'event' && isFault;
}

/** What is kept whatever is sampled: an answer that says so, what was cut off by us, an operation that failed. */
function isFault(exchange: Exchange, { spans }: FollowedTrace): boolean {
  if (exchangeFault(exchange) !== undefined) return true;
  return spans?.notes.some(({ sort, isFault: failed }) => failed && sort === 'operation') === true;
}

function plainOf({ traceId, spanId, parentId, flags, state, carrier, spans }: TraceContext): TraceContext {
  return { traceId, spanId, parentId, flags, state, carrier, spans };
}

function b3Of({ traceId, debug, isSampled }: FollowedTrace, spanId: string): string {
  return `${traceId}-${spanId}-${debug ? 'd' : isSampled ? '1' : '0'}`;
}

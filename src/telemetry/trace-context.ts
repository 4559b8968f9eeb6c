import type { IncomingHttpHeaders } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { SpanLog } from './span-log.ts';

/** The W3C trace context of one exchange: our span inside the caller's trace. */
export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits: the span of this exchange. */
  readonly spanId: string;
  /** The caller's span, if it sent a valid `traceparent`. */
  readonly parentId: string | undefined;
  /** Two hex digits of flags, `01` for sampled. */
  readonly flags: string;
  /** What goes on as `tracestate`; the caller's, passed on untouched, unless the configuration says how traces go on. */
  readonly state: string | undefined;
  /** How the trace goes on where the configuration says so; undefined: by `traceparent` and `tracestate`. */
  readonly carrier: TraceCarrier | undefined;
  /** What is noted for spans; undefined where nobody would read it. */
  readonly spans: SpanLog | undefined;
}

/** How traces go on to whoever is asked. */
export interface TraceCarrier {
  /** Adds the fields that say the trace, with the span of the exchange as the parent. Names in lower case. */
  addTo(fields: string[], trace: TraceContext): void;
  /** The same fields with another span as the parent; the given list is not changed. */
  withParent(fields: readonly string[], trace: TraceContext, spanId: string): readonly string[];
  /** A part of the trace with a span and notes of its own, such as one operation of a socket. */
  fork(trace: TraceContext): TraceContext;
  /** Makes spans of what has ended within an exchange that goes on. */
  flush(exchange: TracedExchange): void;
  /** Has the trace of an exchange end when the exchange closes. */
  follow(exchange: TracedExchange): void;
}

/** An exchange, as far as its trace goes. */
export interface TracedExchange {
  readonly trace: TraceContext;
  onClosed(listener: () => void): void;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

const POOL_HEX_DIGITS = 8192;
let pool = '';
let poolOffset = POOL_HEX_DIGITS;

/** Returns `digits` random hex digits from a pool, because a call into the random source per request is slow. */
export function randomHex(digits: number): string {
  if (poolOffset + digits > pool.length) {
    pool = randomBytes(POOL_HEX_DIGITS / 2).toString('hex');
    poolOffset = 0;
  }
  const hex = pool.slice(poolOffset, poolOffset + digits);
  poolOffset += digits;
  return hex;
}

/**
 * Continues the caller's trace, or starts one when `traceparent` is absent or invalid
 * (W3C Trace Context, sections 3.2 and 4.3).
 */
export function continueTrace(
  traceparent: string | undefined,
  tracestate: string | undefined,
  spans?: SpanLog,
): TraceContext {
  const parts = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  const [, version, traceId, parentId, flags, rest] = parts ?? [];
  const valid =
    traceId !== undefined &&
    traceId !== NO_TRACE &&
    parentId !== NO_SPAN &&
    version !== 'ff' &&
    !(version === '00' && rest !== undefined);
  if (!valid) {
    return {
      traceId: randomHex(32),
      spanId: randomHex(16),
      parentId: undefined,
      flags: '01',
      state: undefined,
      carrier: undefined,
      spans,
    };
  }
  return {
    traceId,
    spanId: randomHex(16),
    parentId,
    flags: knownFlags(flags),
    state: tracestate,
    carrier: undefined,
    spans,
  };
}

// What has no meaning in version 00 must not be passed on in it: only sampled and random are left.
function knownFlags(flags: string | undefined): string {
  return flags === '01' || flags === '00' ? flags : `0${Number.parseInt(flags ?? '0', 16) & 3}`;
}

/** Whether whoever is asked is told that the trace is recorded. */
export function isSampled({ flags }: TraceContext): boolean {
  return (flags.charCodeAt(1) & 1) !== 0;
}

/** The `traceparent` that upstreams get: same trace, our span as the parent. */
export function traceparentOf(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.flags}`;
}

/**
 * Adds the header fields by which whoever is asked goes on with a trace.
 *
 * @param fields flat list: name, value; names in lower case.
 */
export function addTraceFields(fields: string[], trace: TraceContext): void {
  if (trace.carrier !== undefined) return trace.carrier.addTo(fields, trace);
  fields.push('traceparent', traceparentOf(trace));
  if (trace.state !== undefined) fields.push('tracestate', trace.state);
}

/** The trace of a part of an exchange, to be followed once there is an exchange for it; the same one where nobody traces. */
export function forkTrace(trace: TraceContext): TraceContext {
  return trace.carrier === undefined ? trace : trace.carrier.fork(trace);
}

/** See {@link continueTrace}: what the fields of a request say. @param spans takes notes of it; default nobody does. */
export function traceOf(headers: IncomingHttpHeaders, spans?: SpanLog): TraceContext {
  return continueTrace(
    headers['traceparent'] as string | undefined,
    headers['tracestate'] as string | undefined,
    spans,
  );
}

import type { IncomingHttpHeaders } from 'node:http';
import { continueTrace } from '../telemetry/trace-context.ts';
import { readTraceState } from './trace-state.ts';

/** What a caller says of the trace that its request belongs to. */
export interface CallerContext {
  /** 32 and 16 lower-case hex digits; undefined where only a decision was said. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  /** Whether it records the trace; undefined where it has not decided. */
  readonly sampled: boolean | undefined;
  /** Whether it vouches for the randomness of its trace id (W3C Trace Context Level 2, section 3.2.2.4). */
  readonly random: boolean;
  /** Whether it wants the trace kept whatever anybody samples (B3). */
  readonly debug: boolean;
  /** The members of `tracestate`. */
  readonly state: readonly string[] | undefined;
}

const B3_SINGLE = /^([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?$/;
const B3_TRACE = /^(?:[0-9a-f]{32}|[0-9a-f]{16})$/;
const B3_SPAN = /^[0-9a-f]{16}$/;
const ZEROS = /^0+$/;
const TRACE_DIGITS = 32;

/** Reads `traceparent` and `tracestate`; undefined for none that is valid, whose state does not count then. */
export function readW3c(headers: IncomingHttpHeaders): CallerContext | undefined {
  const traceparent = headers['traceparent'];
  if (typeof traceparent !== 'string') return undefined;
  const { traceId, parentId, flags } = continueTrace(traceparent, undefined);
  if (parentId === undefined) return undefined;
  const bits = Number.parseInt(flags, 16);
  const state = headers['tracestate'];
  return {
    traceId,
    spanId: parentId,
    sampled: (bits & 1) !== 0,
    random: (bits & 2) !== 0,
    debug: false,
    state: typeof state === 'string' ? readTraceState(state) : undefined,
  };
}

/**
 * Reads the fields of B3: `b3`, which counts before the many of `X-B3-*` (openzipkin/b3-propagation). Ids of 64 bits are
 * filled up with zeros. Undefined for none, and for what cannot be read.
 */
export function readB3(headers: IncomingHttpHeaders): CallerContext | undefined {
  const single = headers['b3'];
  return (typeof single === 'string' ? readSingle(single) : undefined) ?? readMany(headers);
}

function readSingle(text: string): CallerContext | undefined {
  const said = text.trim().toLowerCase();
  if (said === '0' || said === '1' || said === 'd') return only(said);
  const [, traceId, spanId, decision] = B3_SINGLE.exec(said) ?? [];
  return context(traceId, spanId, decision);
}

function readMany(headers: IncomingHttpHeaders): CallerContext | undefined {
  const said = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'string' ? value.trim().toLowerCase() : undefined;
  };
  const sampled = said('x-b3-sampled');
  const decision = said('x-b3-flags') === '1' ? 'd' : decisionOf(sampled);
  const [traceId, spanId] = [said('x-b3-traceid'), said('x-b3-spanid')];
  if (traceId === undefined && spanId === undefined)
    return decision === undefined ? undefined : only(decision);
  if (traceId === undefined || !B3_TRACE.test(traceId)) return undefined;
  return spanId !== undefined && B3_SPAN.test(spanId) ? context(traceId, spanId, decision) : undefined;
}

// Some send what older versions of the format had.
function decisionOf(sampled: string | undefined): string | undefined {
  if (sampled === '1' || sampled === 'true') return '1';
  return sampled === '0' || sampled === 'false' ? '0' : undefined;
}

function context(
  traceId: string | undefined,
  spanId: string | undefined,
  decision: string | undefined,
): CallerContext | undefined {
  if (traceId === undefined || spanId === undefined) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return {
    traceId: traceId.padStart(TRACE_DIGITS, '0'),
    spanId,
    sampled: decision === undefined ? undefined : decision !== '0',
    random: false,
    debug: decision === 'd',
    state: undefined,
  };
}

function only(decision: string): CallerContext {
  return {
    traceId: undefined,
    spanId: undefined,
    sampled: decision !== '0',
    random: false,
    debug: decision === 'd',
    state: undefined,
  };
}

import type { IncomingHttpHeaders } from 'node:http';
import { randomBytes } from 'node:crypto';

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
  /** The caller's `tracestate`, passed on untouched. */
  readonly state: string | undefined;
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
export function continueTrace(traceparent: string | undefined, tracestate: string | undefined): TraceContext {
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
    };
  }
  return { traceId, spanId: randomHex(16), parentId, flags: knownFlags(flags), state: tracestate };
}

// What has no meaning in version 00 must not be passed on in it: only sampled and random are left.
function knownFlags(flags: string | undefined): string {
  return flags === '01' || flags === '00' ? flags : `0${Number.parseInt(flags ?? '0', 16) & 3}`;
}

/** The `traceparent` that upstreams get: same trace, our span as the parent. */
export function traceparentOf(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.flags}`;
}

/** See {@link continueTrace}: what the fields of a request say. */
export function traceOf(headers: IncomingHttpHeaders): TraceContext {
  return continueTrace(
    headers['traceparent'] as string | undefined,
    headers['tracestate'] as string | undefined,
  );
}

import { status } from '@grpc/grpc-js';
import type { ProblemCode } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import { RefusedAnswer } from '../upstreams/http/http-caller.ts';

const FAULTS: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'upstream-timeout',
  'upstream-unreachable',
  'upstream-response-invalid',
  'upstream-exhausted',
  'circuit-open',
  'no-available-target',
  'upstream-saturated',
]);

const SERVER_ERROR = 500;

/**
 * Whether an older value or a fallback may stand in for an error: the upstream is in trouble (RFC 5861 section 4).
 * An answer such as 403 or 410 is no trouble but news, and to serve what was true before it would hide it.
 */
export function isUpstreamFault(error: unknown): error is Problem {
  if (!(error instanceof Problem)) return false;
  if (FAULTS.has(error.code)) return true;
  if (error.code !== 'upstream-rejected') return false;
  const { cause } = error;
  if (cause instanceof RefusedAnswer) return cause.status >= SERVER_ERROR;
  // Of a gRPC status, UNKNOWN and INTERNAL; whatever else there is counts as news: fail closed.
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  return code === status.UNKNOWN || code === status.INTERNAL;
}

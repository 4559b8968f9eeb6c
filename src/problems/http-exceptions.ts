import { HttpException } from '@nestjs/common';
import type { ProblemCode } from './catalogue.ts';
import { Problem } from './problem.ts';

/** What errors of Fastify itself mean. */
const FASTIFY_CODES: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-type-unsupported',
  FST_ERR_CTP_INVALID_JSON_BODY: 'request-invalid',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'request-invalid',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request-malformed',
  FST_ERR_BAD_URL: 'request-malformed',
  FST_ERR_ASYNC_CONSTRAINT: 'request-malformed',
};

/** What the statuses of exceptions that handlers throw mean. */
const STATUSES: Readonly<Record<number, ProblemCode>> = {
  400: 'request-invalid',
  401: 'credentials-invalid',
  403: 'permission-denied',
  404: 'resource-not-found',
  405: 'method-not-allowed',
  408: 'request-timeout',
  409: 'conflict',
  413: 'body-too-large',
  415: 'media-type-unsupported',
  422: 'request-invalid',
  429: 'rate-limited',
  501: 'not-implemented',
  502: 'upstream-rejected',
  503: 'no-available-target',
  504: 'deadline-exceeded',
};

/** Finds the problem behind whatever a code-first handler, Nest or Fastify threw. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? FASTIFY_CODES[code] : undefined;
  if (known !== undefined) return new Problem(known, { cause: error });
  const status = error instanceof HttpException ? error.getStatus() : statusCode;
  return new Problem(typeof status === 'number' ? codeOf(status) : 'internal', { cause: error });
}

// A refusal of the caller that the catalogue has no word for is still not a fault of ours.
function codeOf(status: number): ProblemCode {
  return STATUSES[status] ?? (status >= 400 && status < 500 ? 'request-invalid' : 'internal');
}

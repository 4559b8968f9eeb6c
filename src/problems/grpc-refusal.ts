import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ProblemCode } from './catalogue.ts';
import type { Problem } from './problem.ts';

/** How a client speaks gRPC: over HTTP/2, or as a browser can, in binary or in base64 (grpc/grpc doc/PROTOCOL-WEB.md). */
export type GrpcDialect = 'grpc' | 'web' | 'webText';

const MEDIA_TYPE = /^application\/grpc(-web(-text)?)?(\+[\w.-]+)?\s*(?:;|$)/i;

/** The dialect that a media type stands for; undefined for one that is not of gRPC. */
export function grpcDialect(mediaType: string | undefined): GrpcDialect | undefined {
  const found = mediaType === undefined ? null : MEDIA_TYPE.exec(mediaType);
  if (found === null) return undefined;
  return found[1] === undefined ? 'grpc' : found[2] === undefined ? 'web' : 'webText';
}

/** The names of the statuses, by their numbers (grpc/grpc doc/statuscodes.md). */
export const GRPC_STATUS_NAMES = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS',
  'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED',
  'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED',
] as const; // prettier-ignore

/** The name of a status, as logs and metrics show it; those that do not exist share one. */
export function grpcStatusName(status: string | number): string {
  return GRPC_STATUS_NAMES[Number(status)] ?? 'UNKNOWN';
}

const CANCELLED = 1;
const UNKNOWN = 2;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const ABORTED = 10;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

/** Where the status of HTTP does not say it. */
const BY_CODE: { readonly [Code in ProblemCode]?: number } = {
  'uri-too-long': UNIMPLEMENTED,
  'upgrade-required': UNIMPLEMENTED,
  'resource-not-found': NOT_FOUND,
  // As the Gateway API has it for a GRPCRoute that leads nowhere.
  'upstream-missing': UNAVAILABLE,
  'upstream-rejected': INTERNAL,
  'upstream-response-invalid': INTERNAL,
};

/** What a status of HTTP of ours means; other ones of 400 to 499 mean that the request is wrong. */
const BY_HTTP_STATUS: Readonly<Record<number, number>> = {
  401: UNAUTHENTICATED,
  403: PERMISSION_DENIED,
  404: UNIMPLEMENTED,
  405: UNIMPLEMENTED,
  408: DEADLINE_EXCEEDED,
  409: ABORTED,
  410: UNIMPLEMENTED,
  413: RESOURCE_EXHAUSTED,
  429: RESOURCE_EXHAUSTED,
  431: RESOURCE_EXHAUSTED,
  499: CANCELLED,
  500: INTERNAL,
  501: UNIMPLEMENTED,
  502: UNAVAILABLE,
  503: UNAVAILABLE,
  504: DEADLINE_EXCEEDED,
};

/** The status of gRPC that a client hears of a problem: the one table from the catalogue. */
export function grpcStatusOf({ code, status, as }: Pick<Problem, 'code' | 'status' | 'as'>): number {
  return as?.grpc ?? BY_CODE[code] ?? BY_HTTP_STATUS[status] ?? (status < 500 ? INVALID_ARGUMENT : UNKNOWN);
}

/** `grpc-status` and `grpc-message` of a problem, flat. */
export function grpcStatusFields(problem: Problem): string[] {
  const message = problem.detail ?? problem.entry.title;
  return ['grpc-status', String(grpcStatusOf(problem)), 'grpc-message', encoded(message)];
}

/** Percent-encodes a message (gRPC over HTTP/2, Status-Message): visible ASCII stays, without the percent sign. */
function encoded(text: string): string {
  return text.toWellFormed().replace(/[^ -$&-~]/gu, encodeURIComponent);
}

/** The head of a refusal: all that there is of the answer. A call that was refused is HTTP's 200 all the same. */
export function grpcRefusal(problem: Problem, request: IncomingMessage): string[] {
  const [mediaType = ''] = (request.headers['content-type'] ?? '').split(';');
  const fields = ['content-type', mediaType.trim(), ...grpcStatusFields(problem)];
  for (const [name, value] of Object.entries(problem.headers ?? {})) fields.push(name, value);
  return fields;
}

/** Writes a head that is all of an answer: over HTTP/2 as one frame that ends the stream (Trailers-Only). */
export function writeTrailersOnly(response: ServerResponse, fields: readonly string[]): void {
  response.statusCode = 200;
  for (let i = 0; i < fields.length; i += 2)
    response.appendHeader(fields[i] as string, fields[i + 1] as string);
  response.end();
}

import type { ServerResponse, IncomingMessage } from 'node:http';
import { Problem, problemBody, PROBLEM_MEDIA_TYPE } from './problem.ts';

/** What the problem stage needs of an exchange; this room is a leaf and knows no more of it. */
export interface ProblemTarget {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly responseHeaders: readonly string[];
  problem: Problem | undefined;
  bytesOut: number;
}

const SERVER_FAULT = 500;

/** Turns whatever was thrown into a problem; what nobody foresaw is `internal`, its cause is only logged. */
export function toProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('internal', { cause: error });
}

/** The header fields of a problem's answer as a flat list. */
export function problemHeaders(problem: Problem, target: ProblemTarget): string[] {
  const headers = ['content-type', PROBLEM_MEDIA_TYPE, 'x-request-id', target.id, ...target.responseHeaders];
  for (const [name, value] of Object.entries(problem.headers ?? {})) headers.push(name, value);
  if (problem.status >= SERVER_FAULT || problem.status === 401) headers.push('cache-control', 'no-store');
  return headers;
}

/**
 * Writes a problem as the answer of an exchange. An answer that has begun cannot be taken back: it is cut, so
 * that the client notices. A client that went away gets nothing.
 */
export function renderProblem(target: ProblemTarget, error: unknown): void {
  // An answer that is complete says all there is to say.
  if (target.response.writableEnded) return;
  const problem = toProblem(error);
  target.problem ??= problem;
  const { request, response } = target;
  if (problem.code === 'client-closed' || response.headersSent) {
    response.destroy();
    return;
  }
  // A small body comes in one packet with its head: once that is looked through, the connection can stay.
  if (request.complete || !announcesBody(request)) return write(target, problem);
  response.statusCode = problem.status;
  setImmediate(write, target, problem);
}

function write(target: ProblemTarget, problem: Problem): void {
  const { request, response } = target;
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(JSON.stringify(problemBody(problem, target.id)));
  const headers = problemHeaders(problem, target);
  headers.push('content-length', String(body.length));
  target.bytesOut = request.method === 'HEAD' ? 0 : body.length;
  response.writeHead(problem.status, headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Whether a request has a body (RFC 9112 section 6.3). */
export function announcesBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

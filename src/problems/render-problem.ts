import type { ServerResponse, IncomingMessage } from 'node:http';
import { cutAnswer } from './cut-answer.ts';
import { grpcDialect, grpcRefusal, grpcStatusName, grpcStatusOf, writeTrailersOnly } from './grpc-refusal.ts';
import { Problem, problemBody, PROBLEM_MEDIA_TYPE } from './problem.ts';

/** Status and header fields of a problem's answer: a flat list of names and values. */
interface ProblemHead {
  status: number;
  headers: string[];
}

/** What the problem stage needs of an exchange; this room is a leaf and knows no more of it. */
export interface ProblemTarget {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  problem: Problem | undefined;
  /** The name of the status of gRPC that a client has heard who calls by it. */
  grpcStatus: string | undefined;
  bytesOut: number;
  /** Who has to know of it before the client does. */
  readonly keeper?: { refused(problem: Problem): Promise<void> | undefined } | undefined;
  /** Who may answer in its place. */
  readonly recording?: { readonly covers?: ((problem: Problem) => boolean) | undefined } | undefined;
  /** Adds what every head of the exchange has; never throws for a problem. */
  finishHead(head: ProblemHead, kind: 'problem'): void;
}

const SERVER_FAULT = 500;

/** Turns whatever was thrown into a problem; what nobody foresaw is `internal`, its cause is only logged. */
export function toProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('internal', { cause: error });
}

/** Makes the answer of a problem; its head is still to be finished. @param id of the exchange. */
export function problemAnswer(
  problem: Problem,
  id: string,
): { readonly head: ProblemHead; readonly body: Buffer } {
  const { status } = problem;
  const body = Buffer.from(JSON.stringify(problemBody(problem, id)));
  const headers = ['content-type', PROBLEM_MEDIA_TYPE, 'content-length', String(body.length)];
  for (const [name, value] of Object.entries(problem.headers ?? {})) headers.push(name, value);
  if (status >= SERVER_FAULT || status === 401) headers.push('cache-control', 'no-store');
  return { head: { status, headers }, body };
}

/**
 * Writes a problem as the answer of an exchange. An answer that has begun cannot be taken back: it is cut, so
 * that the client notices. A client that went away gets nothing. Who calls by gRPC hears a status of gRPC, whatever it was
 * that refused the call.
 */
export function renderProblem(target: ProblemTarget, error: unknown): void {
  // An answer that is complete says all there is to say.
  if (target.response.writableEnded) return;
  const problem = toProblem(error);
  if (target.recording?.covers?.(problem) === true) return;
  target.problem ??= problem;
  const told = target.keeper?.refused(problem);
  if (told === undefined) send(target, problem);
  else void told.then(() => send(target, problem));
}

function send(target: ProblemTarget, problem: Problem): void {
  const { request, response } = target;
  if (response.writableEnded) return;
  if (problem.code === 'client-closed' || response.headersSent) return cutAnswer(request, response, problem);
  // A small body comes in one packet with its head: once that is looked through, the connection can stay.
  if (request.complete || !announcesBody(request)) return write(target, problem);
  response.statusCode = problem.status;
  setImmediate(write, target, problem);
}

function write(target: ProblemTarget, problem: Problem): void {
  const { request, response } = target;
  if (response.headersSent || response.destroyed) return;
  if (grpcDialect(request.headers['content-type']) !== undefined) return refuseCall(target, problem);
  const { head, body } = problemAnswer(problem, target.id);
  target.finishHead(head, 'problem');
  target.bytesOut = request.method === 'HEAD' ? 0 : body.length;
  response.writeHead(head.status, head.headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}

function refuseCall(target: ProblemTarget, problem: Problem): void {
  const { request, response } = target;
  const head = { status: 200, headers: grpcRefusal(problem, request) };
  target.grpcStatus = grpcStatusName(grpcStatusOf(problem));
  target.finishHead(head, 'problem');
  writeTrailersOnly(response, head.headers);
}

/** Whether a request has a body (RFC 9112 section 6.3). */
export function announcesBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

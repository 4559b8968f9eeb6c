import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { finishHead } from '../exchange/response-head.ts';
import { Problem } from '../problems/problem.ts';
import { problemAnswer } from '../problems/render-problem.ts';
import { answerOn, endConnection } from '../sockets/last-word.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import { LongLines } from './long-lines.ts';
import { codeOf, type ParserFault } from './parser-faults.ts';

/** Nobody else writes these where there is no response. */
const CLOSE = ['connection', 'close'];

const lines = new LongLines();

/**
 * Answers what the HTTP parser refuses. There is no exchange yet, and after an error of the parser there is no telling where
 * the next message would begin: one answer with a log line of its own, and the connection ends.
 */
export function refuseConnection(error: ParserFault, socket: Socket, logger: Logger): void {
  lines.heard(error, socket, (code = codeOf(error)) => refuse(error, socket, { code, logger }));
}

function refuse(
  error: ParserFault,
  socket: Socket,
  { code: known, logger }: { readonly code: ProblemCode; readonly logger: Logger },
): void {
  const problem = new Problem(known);
  const id = randomUUID();
  const isHeard = error.code !== 'ECONNRESET' && socket.writable && !owesAnotherAnswer(socket);
  const bytes = isHeard ? answer(socket, problem, id) : 0;
  const { code, status } = problem;
  const said = isHeard ? { status, bytes } : { cut: true };
  const refused = { stage: 'open', code, fault: error.code };
  logger.info({ id, client: socket.remoteAddress, ...said, refused }, 'connection refused');
  if (!isHeard) socket.destroy();
}

// What we would say would be taken for the answer to an earlier request, or for a part of it.
function owesAnotherAnswer(socket: Socket): boolean {
  const due = answerOn(socket);
  return due !== undefined && (due.headersSent || due.req.complete);
}

/** @returns how many bytes the body has. */
function answer(socket: Socket, problem: Problem, id: string): number {
  const { head, body } = problemAnswer(problem, id);
  const responseHeaders = ['date', new Date().toUTCString(), ...CLOSE];
  finishHead({ id, responseHeaders }, head, 'problem');
  let text = `HTTP/1.1 ${head.status} ${STATUS_CODES[head.status]}\r\n`;
  for (let i = 0; i < head.headers.length; i += 2) text += `${head.headers[i]}: ${head.headers[i + 1]}\r\n`;
  socket.write(`${text}\r\n${String(body)}`);
  endConnection(socket);
  return body.length;
}

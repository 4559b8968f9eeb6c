import { LogController, type FastifyHttpOptions, type RawServerDefault } from 'fastify';
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { finishHead } from '../exchange/response-head.ts';
import { answerOn, endConnection } from '../sockets/last-word.ts';
import { HANDLER_BODY_LIMIT_BYTES } from '../policies/body-limit/body-limit.stage.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import { problemAnswer } from '../problems/render-problem.ts';
import type { Logger } from '../telemetry/logger.ts';
import { EarlyAnswer } from './early-answer.ts';
import { MergedRequest } from './merged-request.ts';
import { routableTarget } from './open.hook.ts';

const HEADERS_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const CONNECTION_CHECK_MS = 5000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_PARAMETER_LENGTH = 4096;
/** Nobody else writes `Connection` where there is no response. */
const CLOSE = ['connection', 'close'];

/** What errors of the HTTP parser mean; anything else is malformed. */
const PARSER_CODES: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** The options of the clients' listener. Anything that two servers could read differently is refused. */
export function fastifyOptions(logger: Logger): FastifyHttpOptions<RawServerDefault> {
  return {
    logger: false,
    // The access line is ours; Fastify would still listen to each response for its own.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: HANDLER_BODY_LIMIT_BYTES,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    rewriteUrl: (request) => routableTarget(request.url ?? '/'),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Exchanges that arrive while we leave are still answered; their connections then end.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      // A request without a body needs no stream: 1 to 3 µs less.
      optimizeEmptyRequests: true,
      // A long upload is no attack; `bodyLimit`, `bodyIdle` and `deadline` bound it.
      requestTimeout: 0,
      IncomingMessage: MergedRequest,
      ServerResponse: EarlyAnswer,
      connectionsCheckingInterval: CONNECTION_CHECK_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
      // The open stage asks for it, so that the refusal is a problem with an access line.
      requireHostHeader: false,
    },
    clientErrorHandler: (error, socket) => refuseConnection(error as NodeJS.ErrnoException, socket, logger),
  };
}

// What we would say would be taken for the answer to an earlier request, or for a part of it.
function owesAnotherAnswer(socket: Socket): boolean {
  const answer = answerOn(socket);
  return answer !== undefined && (answer.headersSent || answer.req.complete);
}

// There is no exchange yet, and after a parser error there is no telling where the next message would begin:
// one answer, and the connection ends.
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, logger: Logger): void {
  const code = PARSER_CODES[error.code ?? ''] ?? 'request-malformed';
  const id = randomUUID();
  logger.info(
    { id, client: socket.remoteAddress, refused: { stage: 'open', code, fault: error.code } },
    'connection refused',
  );
  if (error.code === 'ECONNRESET' || !socket.writable || owesAnotherAnswer(socket))
    return void socket.destroy();
  const { head, body } = problemAnswer(new Problem(code), id);
  finishHead({ id, responseHeaders: CLOSE }, head, 'problem');
  let text = `HTTP/1.1 ${head.status} ${STATUS_CODES[head.status]}\r\n`;
  for (let i = 0; i < head.headers.length; i += 2) text += `${head.headers[i]}: ${head.headers[i + 1]}\r\n`;
  socket.write(`${text}\r\n${String(body)}`);
  endConnection(socket);
}

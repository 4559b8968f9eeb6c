import { LogController, type FastifyHttpOptions, type RawServerDefault } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { HANDLER_BODY_LIMIT_BYTES } from '../policies/body-limit/body-limit.stage.ts';
import { USUAL_TOKEN_BYTES } from '../policies/authentication/tokens/token-places.schema.ts';
import type { Logger } from '../telemetry/logger.ts';
import { EarlyAnswer } from './early-answer.ts';
import { MergedRequest } from './merged-request.ts';
import type { ParserFault } from './parser-faults.ts';
import { refuseConnection } from './refused-connection.ts';
import { routableTarget } from './request-target.ts';

const HEADERS_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const CONNECTION_CHECK_MS = 5000;
/**
 * What most servers accept is 16 KiB. A KiB of it is for what the gateway adds: a target that resets connections for longer heads
 * would look broken to its breaker, for all, by the choice of one client.
 */
const HEADER_BYTES = 15 * 1024;
const MAX_PARAMETER_LENGTH = 4096;

/**
 * The options of the clients' listener. Anything that two servers could read differently is refused.
 *
 * @param tokenBytes the longest token; heads have room for it.
 */
export function fastifyOptions(
  logger: Logger,
  tokenBytes = USUAL_TOKEN_BYTES,
): FastifyHttpOptions<RawServerDefault> {
  return {
    logger: false,
    // The access line is ours; Fastify would still listen to each response for its own.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: HANDLER_BODY_LIMIT_BYTES,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    rewriteUrl: (request) => routableTarget(request as IncomingMessage),
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
      maxHeaderSize: HEADER_BYTES + Math.max(0, tokenBytes - USUAL_TOKEN_BYTES),
      insecureHTTPParser: false,
      // The open stage asks for it, so that the refusal is a problem with an access line.
      requireHostHeader: false,
    },
    // The types of Fastify say what becomes of a buffer in JSON.
    clientErrorHandler: (error, socket) => refuseConnection(error as unknown as ParserFault, socket, logger),
  };
}

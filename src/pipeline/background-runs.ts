import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../exchange/exchange.ts';
import { UnsentRequest, type HandlerRuns } from '../policies/cache/handler-runs.ts';
import type { Logger } from '../telemetry/logger.ts';

/** How long a run that is cancelled has to end by itself. */
const LEAVE_MS = 1000;

/** The exchange of a request that no client has sent, and that has met its stages; undefined for any other. */
export function shadowOf(request: IncomingMessage): Exchange | undefined {
  return request instanceof UnsentRequest ? request.exchange : undefined;
}

/**
 * Has handlers run in the background as they are for clients: Fastify finds them, and Nest calls their guards, pipes and
 * interceptors. Their stages from the body on are entered, such as a breaker; those before it were when a client asked.
 */
export function runInBackground(fastify: FastifyInstance, runs: HandlerRuns, logger: Logger): void {
  runs.run = (shadow, ended) => {
    const { request, response, id } = shadow;
    const end = (): void => {
      response.off('finish', end).off('close', end);
      const { problem } = shadow;
      // No access line tells of it.
      if (problem?.code === 'internal')
        logger.error({ id, err: problem.cause ?? problem }, 'unforeseen fault in the background');
      ended();
    };
    response.once('finish', end).once('close', end);
    // Whoever writes past Fastify may never end it.
    shadow.onCancel(() => setTimeout(() => response.destroy(), LEAVE_MS).unref());
    shadow.admitted = true;
    fastify.routing(request, response);
  };
}

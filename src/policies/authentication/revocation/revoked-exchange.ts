import type { Exchange } from '../../../exchange/exchange.ts';
import { cutAnswer } from '../../../problems/cut-answer.ts';
import type { Problem } from '../../../problems/problem.ts';

/** How long whoever answers may take to say goodbye in its own way. */
const GRACE_MS = 250;

/**
 * Ends an exchange that is under way: who has no answer yet gets the problem; sockets and streams are told in their own way,
 * because whoever writes them minds the cancellation. What still goes on then, such as the stream of a handler that minds
 * nothing, is cut.
 */
export function endExchange(exchange: Exchange, problem: Problem): void {
  exchange.cancel(problem);
  setTimeout(cut, GRACE_MS, exchange).unref();
}

function cut(exchange: Exchange): void {
  const { request, response, listedIn } = exchange;
  // Sockets cut their connections themselves.
  const isTunnel = 'tunnel' in response && request.headers.upgrade === 'websocket';
  if (
    listedIn === undefined ||
    response.socket === null ||
    isTunnel ||
    response.writableEnded ||
    !response.headersSent
  )
    return;
  exchange.problem ??= exchange.cancelled;
  cutAnswer(request, response, exchange.problem);
}

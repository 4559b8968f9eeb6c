import { connectionOf } from '../exchange/client-connection.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { announcesBody } from '../problems/render-problem.ts';
import { Problem } from '../problems/problem.ts';

/** Holds an exchange to the limits of the listener that it came by: requests of a connection, time of a body. */
export function limitByListener(exchange: Exchange): void {
  const { request, response } = exchange;
  const connection = connectionOf(request.socket);
  if (connection === undefined) return;
  const { listener } = connection;
  connection.requests += 1;
  if (listener.isLeaving || connection.requests >= listener.requestsPerConnection)
    response.shouldKeepAlive = false;
  if (listener.bodyTimeMs === Infinity || request.complete || !announcesBody(request)) return;
  const timer = setTimeout(() => {
    if (!request.complete) exchange.cancel(new Problem('request-timeout'));
  }, listener.bodyTimeMs);
  exchange.onClosed(() => clearTimeout(timer));
}

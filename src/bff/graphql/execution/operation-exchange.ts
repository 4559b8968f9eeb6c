import { ServerResponse } from 'node:http';
import { Exchange, type DegradedPart } from '../../../exchange/exchange.ts';
import { openingOf } from '../../../exchange/opening-of.ts';
import type { Problem } from '../../../problems/problem.ts';
import { forkTrace } from '../../../telemetry/trace-context.ts';
import { nameUpstream } from '../../../upstreams/asked-upstreams.ts';

/** As many as an access line shows. */
const MOST_KEPT = 20;

/** An exchange for one operation of a connection: its own cancellation and limits, the principal of the connection. */
export function forkOf(connection: Exchange): Exchange {
  const { request, snapshot } = connection;
  // Nothing is ever written to it; what it says goes over the connection.
  const response = new ServerResponse(request);
  const exchange = new Exchange({ ...openingOf(connection), trace: forkTrace(connection.trace), response });
  exchange.trace.carrier?.follow(exchange);
  exchange.route = connection.route;
  exchange.params = connection.params;
  exchange.principal = connection.principal;
  const cancel = (reason: Problem): void => exchange.cancel(reason);
  connection.onCancel(cancel);
  // It may end after its connection.
  snapshot?.hold();
  exchange.onClosed(() => {
    connection.offCancel(cancel);
    snapshot?.release();
  });
  return exchange;
}

/**
 * Puts what an operation did on the access line of its connection. A connection may live long, and have any number of
 * operations: it shows the latest attempts, and each kind of degraded part once.
 */
export function credit(connection: Exchange, { upstream, attempts, degraded }: Exchange): void {
  for (const name of upstream?.split(',') ?? []) nameUpstream(connection, name);
  if (attempts.length > 0) {
    connection.attempts.push(...attempts.slice(-MOST_KEPT));
    connection.attempts.splice(0, connection.attempts.length - MOST_KEPT);
  }
  if (degraded.length > 0) connection.degraded = merged(connection.degraded, degraded);
}

function merged(known: readonly DegradedPart[], more: readonly DegradedPart[]): readonly DegradedPart[] {
  const isKnown = (one: DegradedPart): boolean =>
    known.some(({ section, code, via }) => section === one.section && code === one.code && via === one.via);
  return [...known, ...more.filter((one) => !isKnown(one))].slice(0, MOST_KEPT);
}

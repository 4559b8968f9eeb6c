import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { connectionOf, setConnection } from '../../exchange/client-connection.ts';
import type { Exchange } from '../../exchange/exchange.ts';

/** Runs handlers once more without a client; whoever knows how they are reached says how. */
export class HandlerRuns {
  /** Answers an exchange that has met its stages; hears when it is over, however it ended. Undefined: nobody can. */
  run: ((shadow: Exchange, ended: () => void) => void) | undefined = undefined;
}

/** A request that no client has sent. Nobody can claim to be one: it is known by its class. */
export class UnsentRequest extends IncomingMessage {
  /** Its exchange, which has met the stages before the body. */
  exchange: Exchange | undefined = undefined;
}

/** What a client says of what it has, or wants of it. */
const OF_ITS_CLIENT: ReadonlySet<string> = new Set([
  'if-none-match',
  'if-modified-since',
  'if-range',
  'range',
]);

/**
 * A request for all of an answer, as another one was, without its connection, which may be gone: nothing that happens to it
 * reaches the client. What the listener knows of the connection is there.
 */
export function requestLike(request: IncomingMessage): UnsentRequest {
  const socket = new Socket();
  const connection = connectionOf(request.socket);
  if (connection !== undefined) setConnection(socket, connection);
  const copy = new UnsentRequest(socket);
  copy.method = request.method;
  copy.url = request.url;
  copy.httpVersion = '1.1';
  copy.httpVersionMajor = 1;
  copy.httpVersionMinor = 1;
  copy.rawHeaders = request.rawHeaders.filter((_, at, all) => !OF_ITS_CLIENT.has(nameAt(all, at)));
  copy.headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !OF_ITS_CLIENT.has(name)),
  );
  copy.complete = true;
  // Only requests without a body are for caches.
  copy.push(null);
  return copy;
}

function nameAt(headers: readonly string[], at: number): string {
  return (headers[at - (at % 2)] as string).toLowerCase();
}

/** A response that nobody reads; it ends like any other. */
export function unreadResponse(request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  const nobody = new Writable({ write: (_chunk, _encoding, done) => done() });
  response.assignSocket(nobody as Socket);
  return response;
}

import {
  ServerResponse,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
} from 'node:http';
import type { Socket } from 'node:net';
import { isMisplacedUpgrade } from '../sockets/upgrades.ts';
import { announcesBody } from '../problems/render-problem.ts';

/** How much of a body is read on after its answer, in bytes: what a client has sent before it could know. */
export const LINGER_BYTES = 64 * 1024;
/** How long a client has to take an answer that it did not wait for. */
export const LINGER_MS = 1000;
/** How long a client may take nothing of what waits for it, in ms; of an upstream's answer, `timeouts.idle`. */
export const UNREAD_MS = 60_000;

type Fields = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * The response of every request of the clients' listener, whoever writes it. An answer whose head precedes the end of
 * the request's body ends its connection: nobody swallows the rest. It is closed in a way that lets the client read the
 * answer (RFC 9112 section 9.6): our side first, the rest when the client has had a second or has sent everything. A
 * body that has arrived as a whole, read or not, keeps its connection.
 *
 * A client that takes nothing of its answer for too long is cut off: it would hold its connection, what waits for it, and
 * a connection to an upstream that streams, for good.
 */
export class EarlyAnswer<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** Of every answer, in ms; specs shorten it. */
  static unreadMs = UNREAD_MS;

  override writeHead(status: number, reason?: string | Fields, fields?: Fields): this {
    // One without a body is not complete either while its head is looked at.
    if (!this.req.complete && announcesBody(this.req)) {
      this.shouldKeepAlive = false;
      // Before the listener of `node:http`, which would swallow the body and end the connection at once.
      this.prependOnceListener('finish', lingerAfter);
    }
    if (isMisplacedUpgrade(this.req)) this.shouldKeepAlive = false;
    return super.writeHead(status, reason as string, fields);
  }

  override write(chunk: unknown, encoding?: unknown, written?: unknown): boolean {
    const hasRoom = super.write(chunk, encoding as BufferEncoding, written as () => void);
    if (!hasRoom) this.#expectReader();
    return hasRoom;
  }

  override end(chunk?: unknown, encoding?: unknown, finished?: unknown): this {
    super.end(chunk, encoding as BufferEncoding, finished as () => void);
    this.#expectReader();
    return this;
  }

  // The streams of upstreams then set the clock to a time of their own.
  #expectReader(): void {
    const { socket } = this;
    // What the system took at once is not waited for: the usual case costs nothing.
    if (socket === null || socket.writableLength === 0) return;
    if (this.listenerCount('timeout') === 0) {
      this.on('timeout', endUnread);
      // Before `node:http` sets the clock of a connection at rest.
      this.prependOnceListener('finish', () => socket.setTimeout(0));
    }
    socket.setTimeout(EarlyAnswer.unreadMs);
  }
}

// Any byte that the system takes winds the clock up again. With nothing to take, it is not the client that is waited for.
function endUnread(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
}

function lingerAfter(this: ServerResponse): void {
  const { req: request, socket } = this;
  if (request.complete || request.destroyed || socket === null || socket.destroyed) return;
  linger(request, socket as Socket);
}

function linger(request: IncomingMessage, socket: Socket): void {
  const readBefore = socket.bytesRead;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  // `node:http` calls it next, and it would not wait for the client.
  socket.destroySoon = () => void socket.end();
  // Who was reading is not bothered any more with what nobody wants, such as to decompress it.
  request.unpipe();
  request.removeAllListeners('data');
  request.on('data', () => {
    // Not destroyed at once: that would take the answer from a client that is still sending.
    if (socket.bytesRead - readBefore >= LINGER_BYTES) request.pause();
  });
  request.once('end', () => socket.destroy());
  request.resume();
}

import type { ServerHttp2Session } from 'node:http2';
import { sendEarlyGoaway } from './early-goaway.ts';

/**
 * The end of a connection over HTTP/2, in the two steps of RFC 9113 section 6.8 where that is possible: the client is told,
 * and once it has heard of it, which the answer to a PING says, no stream begins any more. So none is refused that was opened
 * before. Over TLS the second step comes alone, and names the last stream that is answered: a client may repeat those after it
 * (section 8.7).
 */
export class SessionEnd {
  readonly #session: ServerHttp2Session;
  #isTold = false;
  #hasHeard = false;
  #leavingSince: number | undefined = undefined;

  constructor(session: ServerHttp2Session) {
    this.#session = session;
  }

  /** Whether no stream is to begin any more, as soon as the client knows. */
  get isLeaving(): boolean {
    return this.#leavingSince !== undefined;
  }

  /** Tells the client once, if that is possible; the connection is still served. */
  announce(): void {
    if (this.#isTold || this.#session.closed) return;
    this.#isTold = sendEarlyGoaway(this.#session);
    if (!this.#isTold || this.#session.destroyed) return;
    this.#session.ping((error) => {
      this.#hasHeard = error === null;
      if (this.isLeaving) this.#close();
    });
  }

  /** Ends the connection after the streams that it has, once the client has heard of it. */
  leave(): void {
    if (this.isLeaving) return;
    this.#leavingSince = performance.now();
    this.announce();
    if (this.#hasHeard || !this.#isTold) this.#close();
  }

  /** Waits no longer for a client that does not say whether it has heard. */
  look(now: number, patienceMs: number): void {
    if (this.#leavingSince !== undefined && now - this.#leavingSince >= patienceMs) this.#close();
  }

  #close(): void {
    if (!this.#session.destroyed && !this.#session.closed) this.#session.close();
  }
}

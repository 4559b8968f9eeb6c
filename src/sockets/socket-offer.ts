import type { Duplex } from 'node:stream';

/** The connection of a client that speaks WebSocket from now on. */
export interface OpenedStream {
  readonly stream: Duplex;
  /** What has come of it already. */
  readonly first: Buffer;
}

/** What the service behind says to a handshake. */
export interface AcceptedHandshake {
  /** Its fields, as names and values; those that belong to the handshake itself are left out. */
  readonly fields: readonly string[];
  /** The subprotocol that it has chosen among those that were offered. */
  readonly protocol: string | undefined;
  /** The extensions that it has agreed to. */
  readonly extensions: string | undefined;
}

/**
 * A handshake that waits for its answer, whatever it came over: an upgrade of HTTP/1.1 (RFC 6455 section 4.2), or an extended
 * CONNECT of HTTP/2 (RFC 8441). Until it is accepted it is a request like any other, and is refused like one.
 */
export interface SocketOffer {
  /** Whether a service may refuse it with an answer that says success; where that means yes, it may not. */
  readonly mayRefuseWithSuccess: boolean;
  /**
   * Answers it, and gives the bytes away.
   *
   * @throws when the answer cannot be made; nothing was written then.
   */
  accept(accepted: AcceptedHandshake): OpenedStream;
}

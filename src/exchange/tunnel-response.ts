import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * The answer to an extended CONNECT of HTTP/2 (RFC 8441), whose request looks like an upgrade of HTTP/1.1. Until it opens
 * its tunnel it is an answer like any other.
 */
export interface TunnelResponse extends ServerResponse {
  /** The stream that becomes the tunnel. */
  readonly tunnel: Duplex & { setTimeout(ms: number): unknown };
  /**
   * Says 200, and gives the stream away; whoever has it ends the exchange.
   *
   * @param fields of the answer, as names and values.
   * @throws when the answer cannot be made; nothing was written then.
   */
  openTunnel(fields: readonly string[]): void;
}

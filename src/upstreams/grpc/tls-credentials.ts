import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { coded, type TargetTls } from '../transport/target-tls.ts';

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** grpc-js waits for a handshake for ever, and opens no other connection meanwhile. */
const HANDSHAKE_MS = 10_000;

/**
 * Has the channels of grpc-js shake hands as all other connections to the target do. Its own credentials know no sessions,
 * and ask servers for addresses as if they were names.
 */
export class TlsCredentials extends ChannelCredentials {
  readonly #tls: TargetTls;
  readonly #handshakeMs: number;

  /** @param handshakeMs longest time that a handshake may take. Default ten seconds. */
  constructor(tls: TargetTls, handshakeMs = HANDSHAKE_MS) {
    super();
    this.#tls = tls;
    this.#handshakeMs = handshakeMs;
  }

  _isSecure(): boolean {
    return true;
  }

  _equals(other: ChannelCredentials): boolean {
    return other instanceof TlsCredentials && other.#tls === this.#tls;
  }

  _createSecureConnector(...[, , callCredentials]: SecureConnectorArguments): SecureConnector {
    const own = callCredentials ?? CallCredentials.createEmpty();
    return {
      connect: async (socket) => ({ socket: await this.#secured(socket), secure: true }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => own,
      destroy: () => undefined,
    };
  }

  #secured(socket: Socket): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const secure = this.#tls.connect({ socket }, 'h2', () => {
        clearTimeout(timer);
        resolve(secure);
      });
      const tooLong = coded('ETIMEDOUT', `no handshake within ${this.#handshakeMs} ms`);
      const timer = setTimeout(() => secure.destroy(tooLong), this.#handshakeMs).unref();
      // Whoever takes the socket over hears of what comes later; a promise that is settled hears nothing.
      secure.on('error', reject);
      secure.once('close', () => {
        clearTimeout(timer);
        reject(new Error('the connection was closed'));
      });
    });
  }
}

type SecureConnectorArguments = Parameters<ChannelCredentials['_createSecureConnector']>;

import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TargetTls } from '../transport/target-tls.ts';

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/**
 * Has the channels of grpc-js shake hands as all other connections to the target do. Its own credentials know no sessions,
 * and ask servers for addresses as if they were names.
 */
export class TlsCredentials extends ChannelCredentials {
  readonly #tls: TargetTls;

  constructor(tls: TargetTls) {
    super();
    this.#tls = tls;
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
      connect: async (socket) => ({ socket: await secured(this.#tls, socket), secure: true }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => own,
      destroy: () => undefined,
    };
  }
}

type SecureConnectorArguments = Parameters<ChannelCredentials['_createSecureConnector']>;

function secured(tls: TargetTls, socket: Socket): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = tls.connect({ socket }, 'h2', () => {
      secure.off('close', closed);
      resolve(secure);
    });
    // Whoever takes the socket over hears of what comes later; a rejection that is settled hears nothing.
    secure.on('error', reject);
    const closed = (): void => reject(new Error('the connection was closed'));
    secure.once('close', closed);
  });
}

import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

/** What the targets of an upstream are reached with over TLS, read and checked. */
export interface TlsOptions {
  /** Its authorities, and the certificate that the gateway shows; undefined for the system's authorities and none. */
  readonly context?: SecureContext | undefined;
  /** The name that is asked for and has to be certified; undefined for the target's own. */
  readonly serverName?: string | undefined;
  /** Whether the target has to prove who it is. */
  readonly verify: boolean;
}

/** The protocol that a target behind TLS has to choose (RFC 7301). */
export type ChosenProtocol = 'h2' | 'http/1.1';

const DEFAULTS: TlsOptions = { verify: true };

/**
 * TLS to one target, for all transports. It remembers the last session, so that another connection is cheap (RFC 8446
 * section 2.2): whoever resumes one is not verified anew, so a target whose trust changes has to be another target.
 */
export class TargetTls {
  readonly #host: string;
  readonly #options: TlsOptions;
  #context: SecureContext | undefined;
  #session: Buffer | undefined = undefined;
  #failure: Error | undefined = undefined;
  /** When the certificate ends that the target has shown last, in ms since the epoch; undefined before that. */
  certificateEndsAt: number | undefined = undefined;

  /** @param host name or address of the target, an address of IPv6 without brackets. */
  constructor(host: string, options: TlsOptions = DEFAULTS) {
    this.#host = host;
    this.#options = options;
    this.#context = options.context;
  }

  /** Why the last handshake failed; undefined after one that did not. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Begins a handshake. The socket is destroyed with an error unless the target proves who it is and offers the protocol.
   *
   * @param way a port of the target, or a socket that leads there.
   * @param secured hears when the connection can be used.
   */
  connect(
    way: { readonly port: number } | { readonly socket: Socket },
    protocol: ChosenProtocol,
    secured: () => void,
  ): TLSSocket {
    const { serverName, verify } = this.#options;
    const socket = connect({
      ...way,
      host: this.#host,
      // An address is no name (RFC 6066 section 3), but it has to be certified all the same.
      servername: serverName ?? (isIP(this.#host) === 0 ? this.#host : ''),
      ALPNProtocols: [protocol],
      secureContext: (this.#context ??= createSecureContext()),
      rejectUnauthorized: verify,
      session: this.#session,
    });
    const failed = (error: Error): void => {
      this.#failure = error;
      // What has failed is not tried again with the same session.
      this.#session = undefined;
    };
    socket.once('error', failed);
    // Comes only after the target was verified.
    socket.on('session', (session: Buffer) => (this.#session = session));
    socket.once('secureConnect', () => {
      if (!hasAgreed(socket, protocol))
        return void socket.destroy(coded('EPROTO', `the target does not offer ${protocol}`));
      socket.off('error', failed);
      this.#failure = undefined;
      this.#noteCertificate(socket);
      secured();
    });
    return socket;
  }

  // A session that is resumed shows none.
  #noteCertificate(socket: TLSSocket): void {
    if (socket.isSessionReused()) return;
    const shown = socket.getPeerX509Certificate();
    if (shown !== undefined) this.certificateEndsAt = Date.parse(shown.validTo);
  }
}

// A server that knows nothing of the negotiation speaks HTTP/1.1.
function hasAgreed({ alpnProtocol }: TLSSocket, protocol: ChosenProtocol): boolean {
  return alpnProtocol === protocol || (alpnProtocol === false && protocol === 'http/1.1');
}

/** An error with a code, as those of sockets are. */
export function coded(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

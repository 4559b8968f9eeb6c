import { constants, hkdfSync, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import {
  connectionOf,
  type ClientCertificate,
  type ClientConnection,
} from '../exchange/client-connection.ts';
import type { ListenerSettings, ListenerTls } from './listener-settings.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
const TICKET_KEY_BYTES = 48;

/** Who goes on with a connection. */
export interface TlsFrontOptions {
  /** Whether clients may choose HTTP/2. */
  readonly isHttp2: boolean;
  /** What other processes make their keys for tickets from as well; undefined for keys of its own. */
  readonly ticketSecret: Buffer | undefined;
  /** @param below the connection that it was, whose handshake is complete. */
  onSecure(socket: TLSSocket, below: Socket, connection: ClientConnection): void;
  /** Hears why a connection was closed. */
  onFault(socket: Socket, reason: string): void;
  /** Hears of one that was closed for the certificate of the client, or because it has none. */
  onDenied(address: string, reason: string): void;
}

/**
 * Speaks TLS on connections that somebody else has accepted, as one configuration says. The next configuration has one of
 * its own: handshakes from then on are with its certificates, and connections that are open go on.
 */
export class TlsFront {
  readonly #server: Server;
  readonly #ticketKeys: Buffer;
  readonly #tls: ListenerTls;

  /** @param before the one whose place it takes; clients go on with the sessions that they have of it. */
  constructor(settings: ListenerSettings, before: TlsFront | undefined, options: TlsFrontOptions) {
    const tls = settings.tls as ListenerTls;
    this.#tls = tls;
    // Who comes with a ticket is not looked at again: not after other clients may come in (RFC 8446 section 2.2).
    const keeps = before !== undefined && before.#tls.admission === tls.admission;
    this.#ticketKeys = keeps ? before.#ticketKeys : ticketKeys(options.ticketSecret, tls.admission);
    this.#server = createServer({
      ...tls.context,
      requestCert: tls.clientCertificates !== undefined,
      rejectUnauthorized: tls.clientCertificates === 'required',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ticketKeys: this.#ticketKeys,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      allowHalfOpen: true,
      SNICallback: (host, done) => done(null, contextFor(tls, host)),
      ALPNCallback: ({ protocols }) => choose(protocols, options.isHttp2),
    });
    this.#server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket, options));
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      // Those who come and leave are no news: every look of a load balancer is one.
      const reason = error.code ?? error.message;
      if (reason !== 'ECONNRESET') options.onFault(socket, `tls ${reason}`);
      if (tls.clientCertificates !== undefined && isAboutCertificate(reason))
        options.onDenied(connectionBelow(socket)?.peer ?? '', reason);
      socket.destroy();
    });
  }

  /** Takes a connection over; what is known of it is noted on the socket. */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  #secured(socket: TLSSocket, { onSecure, onFault, onDenied }: TlsFrontOptions): void {
    const below = socketBelow(socket);
    const connection = below && connectionOf(below);
    if (below === undefined || connection === undefined) return void socket.destroy();
    const x509 = this.#tls.clientCertificates && socket.getPeerX509Certificate();
    // Fails closed: a certificate that does not hold is not as good as none.
    if (x509 !== undefined && !socket.authorized) {
      onFault(socket, `tls ${String(socket.authorizationError)}`);
      onDenied(connection.peer, String(socket.authorizationError));
      return void socket.destroy();
    }
    // Fails closed: a session that is gone on with could have lost it.
    if (x509 === undefined && this.#tls.clientCertificates === 'required') {
      onFault(socket, 'tls no certificate');
      onDenied(connection.peer, 'no certificate');
      return void socket.destroy();
    }
    const certificate: ClientCertificate | undefined = x509 && {
      x509,
      fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
    };
    onSecure(socket, below, { ...connection, certificate, isForAnother: this.#isForAnother(socket) });
  }

  // With the certificates of the handshake, whatever a reload brings: clients go by what they were shown.
  #isForAnother({ servername }: TLSSocket): ClientConnection['isForAnother'] {
    const { contexts, first, count } = this.#tls;
    if (count === 1) return undefined;
    const { names } = (servername ? contexts.find(servername) : undefined) ?? first;
    return (host) => names.find(host) === undefined && contexts.find(host) !== undefined;
  }
}

// Whoever comes back with a ticket may reach another process of ours: keys follow from who may come in, in all of them.
function ticketKeys(secret: Buffer | undefined, admission: string): Buffer {
  if (secret === undefined) return randomBytes(TICKET_KEY_BYTES);
  return Buffer.from(hkdfSync('sha256', secret, 'gatehouse tickets', admission, TICKET_KEY_BYTES));
}

// Node tells what a TLS socket lies on by nothing else.
function socketBelow(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { readonly _parent?: Socket })._parent;
}

function connectionBelow(socket: TLSSocket): ClientConnection | undefined {
  const raw = socketBelow(socket);
  return raw && connectionOf(raw);
}

/** Whether a handshake has failed for what is wrong with a certificate: OpenSSL names that without a prefix. */
function isAboutCertificate(reason: string): boolean {
  return reason === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' || !/^E[A-Z]+(?:_|$)/.test(reason);
}

function contextFor({ contexts }: ListenerTls, host: string): SecureContext | undefined {
  return contexts.find(host)?.context;
}

/** Undefined ends the handshake: nothing that the client speaks is spoken here (RFC 7301 section 3.2). */
function choose(offered: readonly string[], isHttp2: boolean): string | undefined {
  if (isHttp2 && offered.includes('h2')) return 'h2';
  return offered.includes('http/1.1') ? 'http/1.1' : undefined;
}

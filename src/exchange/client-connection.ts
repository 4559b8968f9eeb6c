import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a client has proved by its certificate. The chain ends at an authority of the listener, and all dates hold. */
export interface ClientCertificate {
  /** The certificate itself, for subject, alternative names and issuer. */
  readonly x509: X509Certificate;
  /** SHA-256 of the certificate, as lower-case hex without colons. */
  readonly fingerprint: string;
}

/** What the listener of a connection says, as long as the connection is open; a reload may change it. */
export interface ListenerFacts {
  /** Where it listens. */
  readonly port: number;
  /** Where plain requests are sent to: the port of HTTPS. Undefined where they are answered. */
  readonly redirectPort: number | undefined;
  /** How long a body may take from its first byte to its last, in ms; `Infinity` for no limit. */
  readonly bodyTimeMs: number;
  /** How many requests one connection may bring; `Infinity` for no limit. */
  readonly requestsPerConnection: number;
  /** Whether the listener is about to go: connections end with their next answer. */
  readonly isLeaving: boolean;
}

/** What is known of a connection to a listener of the configuration. */
export interface ClientConnection {
  readonly listener: ListenerFacts;
  /** The address of the client, or of the proxy that stands before us: what the PROXY protocol said, if it is spoken. */
  readonly peer: string;
  readonly scheme: 'http' | 'https';
  readonly certificate: ClientCertificate | undefined;
  /**
   * Whether a host is for another certificate of the listener than the one that the client was shown, which is not for it.
   * Absent where there is no other one.
   */
  readonly isForAnother?: ((host: string) => boolean) | undefined;
  /** How many requests have begun on it. */
  requests: number;
}

const CONNECTION = Symbol('gatehouse.connection');

type Holder = object & { [CONNECTION]?: ClientConnection };

/** Notes what is known of a connection. */
export function setConnection(socket: object, connection: ClientConnection): void {
  (socket as Holder)[CONNECTION] = connection;
}

/** What is known of the connection of a socket; undefined without listeners in the configuration. */
export function connectionOf(socket: object): ClientConnection | undefined {
  return (socket as Holder)[CONNECTION];
}

/** The certificate that the client of a request has proved to be its own; undefined for none. */
export function certificateOf({ socket }: IncomingMessage): ClientCertificate | undefined {
  return connectionOf(socket)?.certificate;
}

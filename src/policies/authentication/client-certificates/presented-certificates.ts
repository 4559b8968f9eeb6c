import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { formOfPeer } from '../../../exchange/address-form.ts';
import { connectionOf, type ClientCertificate } from '../../../exchange/client-connection.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import { soleHeader } from '../credential-header.ts';
import { refused } from '../verifier.ts';
import type { ClientCertificateOptions } from './client-certificates.schema.ts';
import { readClientCert, readXfcc } from './forwarded-certificate.ts';
import { presented, type PresentedCertificate } from './presented-certificate.ts';

/** The longest field that is read; a certificate on it is some 2 KiB, and what comes with it may be as much again. */
const MOST_CHARACTERS = 16_384;
/** How much of fields is remembered, in characters. */
const REMEMBERED_CHARACTERS = 2_000_000;

/** Finds the certificate that a request comes with, and reads each one once. */
export class PresentedCertificates {
  readonly #forwarded: ClientCertificateOptions['forwarded'];
  readonly #ofConnections = new WeakMap<ClientCertificate, PresentedCertificate>();
  readonly #ofFields = new LRUCache<string, PresentedCertificate>({
    maxSize: REMEMBERED_CHARACTERS,
    sizeCalculation: (_certificate, field) => field.length + 1000,
  });

  /** @param forwarded where trusted proxies tell it; undefined where certificates are of connections only. */
  constructor(forwarded?: ClientCertificateOptions['forwarded']) {
    this.#forwarded = forwarded;
  }

  /**
   * The certificate of a request; undefined for none. The connection has proved it, or a trusted proxy says so.
   *
   * @throws {Problem} `credentials-invalid` for a field that does not say for sure whose it is.
   */
  of(exchange: Exchange): PresentedCertificate | undefined {
    // Whoever the proxy speaks for is not who the proxy is: without the field, nobody has proved anything.
    if (this.#forwarded !== undefined && isByTrustedProxy(exchange))
      return this.#ofField(exchange.request, this.#forwarded);
    const own = exchange.clientCertificate;
    if (own === undefined) return undefined;
    let certificate = this.#ofConnections.get(own);
    if (certificate === undefined) {
      certificate = presented(own.x509, own.fingerprint);
      this.#ofConnections.set(own, certificate);
    }
    return certificate;
  }

  #ofField(
    request: IncomingMessage,
    { field, element }: NonNullable<ClientCertificateOptions['forwarded']>,
  ): PresentedCertificate | undefined {
    // Two of them are refused: a proxy that adds one has not removed that of the client.
    const value = soleHeader(request, field);
    if (value === undefined || value === '') return undefined;
    const known = this.#ofFields.get(value);
    if (known !== undefined) return known;
    const read =
      value.length > MOST_CHARACTERS
        ? undefined
        : field === 'client-cert'
          ? readClientCert(value)
          : readXfcc(value, element);
    // Fails closed: what cannot be read is not as good as none.
    if (read === undefined) throw refused('The certificate that was passed on cannot be read.');
    this.#ofFields.set(value, read);
    return read;
  }
}

// Fails closed: by the configuration that the request began with, and by the end of the connection alone.
function isByTrustedProxy({ request: { socket }, snapshot }: Exchange): boolean {
  const peer = formOfPeer(connectionOf(socket)?.peer ?? socket.remoteAddress ?? '');
  return snapshot?.edge.clientAddress.isTrusted(peer) === true;
}

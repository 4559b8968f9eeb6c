import { X509Certificate } from 'node:crypto';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Which authorities were in force when a connection was made: Node looks at a certificate once, and a connection lives on when
 * who signed it is trusted no more.
 */
export class Authorities {
  readonly #of = new WeakMap<Socket, unknown>();

  /** Takes note of each connection of a server. @param current what is in force. */
  note(server: SecureServer, current: () => unknown): void {
    server.on('secureConnection', (socket: TLSSocket) => void this.#of.set(socket, current()));
  }

  /** Whether a connection was made under those that are in force. Fails closed for one that nobody has noted. */
  holds(socket: Socket, current: unknown): boolean {
    return this.#of.get(socket) === current;
  }
}

/** Reads each certificate of a file. @throws {Error} for one that is none, and for none at all. */
export function eachCertificate(text: string): readonly X509Certificate[] {
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length === 0) throw new TypeError('no certificate', { cause: text.length });
  return blocks.map((block) => new X509Certificate(block));
}

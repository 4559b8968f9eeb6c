import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';

/** What the edge believes about where a request comes from. */
export interface Origin {
  readonly clientAddress: string;
  readonly scheme: 'http' | 'https';
}

const COLON = 0x3a;
const IPV4_MAPPED = /^::ffff:(?=\d+\.)/i;

/**
 * Tells the client's address. Forwarding fields are believed only as far as trusted proxies vouch for them: the
 * chain is walked from the right, and the first address that is not trusted is the client (fail closed).
 */
export class ClientAddress {
  readonly #trusted: BlockList | undefined;

  /** @param trustedProxies `loopback`, addresses, or CIDR blocks; empty believes nobody. */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = trustedProxies.length === 0 ? undefined : blockList(trustedProxies);
  }

  /** Reads the origin of a request. */
  of(request: IncomingMessage): Origin {
    const peer = unmapped(request.socket.remoteAddress ?? '');
    const scheme = 'encrypted' in request.socket ? 'https' : 'http';
    if (this.#trusted === undefined || !this.#isTrusted(peer)) return { clientAddress: peer, scheme };
    const proto = request.headers['x-forwarded-proto'];
    return {
      clientAddress: this.#walk(String(request.headers['x-forwarded-for'] ?? ''), peer),
      scheme: proto === 'https' || proto === 'http' ? proto : scheme,
    };
  }

  #walk(chain: string, peer: string): string {
    let client = peer;
    for (const hop of chain.split(',').reverse()) {
      const address = unmapped(hop.trim());
      if (isIP(address) === 0) return client;
      client = address;
      if (!this.#isTrusted(address)) return client;
    }
    return client;
  }

  #isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#trusted?.check(address, family === 6 ? 'ipv6' : 'ipv4') === true;
  }
}

function unmapped(address: string): string {
  return address.charCodeAt(0) === COLON ? address.replace(IPV4_MAPPED, '') : address;
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    if (entry === 'loopback') {
      list.addSubnet('127.0.0.0', 8);
      list.addAddress('::1', 'ipv6');
      continue;
    }
    const [address = '', bits] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

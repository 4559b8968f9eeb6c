import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { connectionOf } from '../exchange/client-connection.ts';
import { formOfPeer, readAddress } from './address-form.ts';

/** What the edge believes about where a request comes from. */
export interface Origin {
  readonly clientAddress: string;
  readonly scheme: 'http' | 'https';
}

/** What forwarding fields call the two schemes; some proxies name that of the WebSocket. */
const SCHEMES: ReadonlyMap<string, Origin['scheme']> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['ws', 'http'],
  ['wss', 'https'],
]);
const MAPPED_BITS = 96;

/** Where a chain of proxies ends, seen from us. */
interface Walked {
  readonly clientAddress: string;
  /** Proxies that vouch, our peer included. */
  readonly proxies: number;
}

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
    const connection = connectionOf(request.socket);
    const peer = formOfPeer(connection?.peer ?? request.socket.remoteAddress ?? '');
    const scheme = connection?.scheme ?? ('encrypted' in request.socket ? 'https' : 'http');
    if (this.#trusted === undefined || !this.isTrusted(peer)) return { clientAddress: peer, scheme };
    const { headers } = request;
    const { clientAddress, proxies } = this.#walk(String(headers['x-forwarded-for'] ?? ''), peer);
    return { clientAddress, scheme: schemeOf(headers['x-forwarded-proto'], proxies) ?? scheme };
  }

  #walk(chain: string, peer: string): Walked {
    let clientAddress = peer;
    let proxies = 1;
    for (const hop of chain.split(',').reverse()) {
      const address = readAddress(hop);
      if (address === undefined) break;
      clientAddress = address;
      if (!this.isTrusted(address)) break;
      proxies += 1;
    }
    return { clientAddress, proxies };
  }

  /** Whether an address is one of a trusted proxy. */
  isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#trusted?.check(address, family === 6 ? 'ipv6' : 'ipv4') === true;
  }
}

// Each proxy adds what it was spoken to with, or the first one says it and the others leave it: the entry of the
// outermost proxy that vouches is the scheme of the client. What stands left of it a client may have made up.
function schemeOf(field: string | string[] | undefined, proxies: number): Origin['scheme'] | undefined {
  if (field === undefined) return undefined;
  const entries = String(field).split(',');
  const entry = entries[Math.max(0, entries.length - proxies)] as string;
  return SCHEMES.get(entry.trim().toLowerCase());
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    if (entry === 'loopback') {
      list.addSubnet('127.0.0.0', 8);
      list.addAddress('::1', 'ipv6');
      continue;
    }
    const [given = '', bits] = entry.split('/');
    const address = readAddress(given) ?? given;
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    // A block of mapped addresses is one of IPv4.
    const tooMany = family === 'ipv4' && given.includes(':') ? MAPPED_BITS : 0;
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Math.max(0, Number(bits) - tooMany), family);
  }
  return list;
}

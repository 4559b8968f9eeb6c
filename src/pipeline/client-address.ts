import type { IncomingMessage } from 'node:http';
import { AddressBlocks } from '../exchange/address-blocks.ts';
import { formOfPeer, readAddress } from '../exchange/address-form.ts';
import { connectionOf } from '../exchange/client-connection.ts';
import type { AddressDoubt } from '../exchange/exchange.ts';
import { readForwarded, type ForwardedHop } from './forwarded-field.ts';

/** What the edge believes about where a request comes from. */
export interface Origin {
  readonly clientAddress: string;
  readonly scheme: 'http' | 'https';
  /** Why that is not sure; undefined if it is. */
  readonly doubt?: AddressDoubt | undefined;
}

/** Which fields trusted proxies speak in: `X-Forwarded-*`, `Forwarded` (RFC 7239), or either. */
export type ForwardingFields = 'either' | 'xForwarded' | 'rfc7239';

/** What forwarding fields call the two schemes; some proxies name that of the WebSocket. */
const SCHEMES: ReadonlyMap<string, Origin['scheme']> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['ws', 'http'],
  ['wss', 'https'],
]);

/** Where a chain of proxies ends, seen from us. */
interface Walked {
  readonly clientAddress: string;
  /** Proxies that vouch, our peer included. */
  readonly proxies: number;
  /** Whether the last proxy that vouches names somebody whom nobody can tell, such as `unknown`. */
  readonly isUnreadable: boolean;
}

/** What the fields of one kind say. */
interface Said {
  readonly clientAddress: string;
  readonly scheme: Origin['scheme'] | undefined;
  readonly isUnreadable: boolean;
}

/**
 * Tells the client's address. Forwarding fields are believed only as far as trusted proxies vouch for them: the
 * chain is walked from the right, and the first address that is not trusted is the client (fail closed).
 */
export class ClientAddress {
  readonly #trusted: AddressBlocks | undefined;
  readonly #fields: ForwardingFields;

  /**
   * @param trustedProxies `loopback`, addresses, or CIDR blocks; empty believes nobody.
   * @param fields which ones they speak in. Default either.
   */
  constructor(trustedProxies: readonly string[], fields: ForwardingFields = 'either') {
    this.#trusted = trustedProxies.length === 0 ? undefined : new AddressBlocks(trustedProxies);
    this.#fields = fields;
  }

  /** Reads the origin of a request. */
  of(request: IncomingMessage): Origin {
    const connection = connectionOf(request.socket);
    const peer = formOfPeer(connection?.peer ?? request.socket.remoteAddress ?? '');
    const scheme = connection?.scheme ?? ('encrypted' in request.socket ? 'https' : 'http');
    if (this.#trusted === undefined || !this.isTrusted(peer)) return { clientAddress: peer, scheme };
    const { headers } = request;
    const forwarded = this.#fields === 'xForwarded' ? undefined : headers['forwarded'];
    if (forwarded === undefined || forwarded === '') {
      if (this.#fields === 'rfc7239') return { clientAddress: peer, scheme };
      return originOf(this.#sayX(headers, peer), scheme);
    }
    const hops = readForwarded(String(forwarded));
    // Fails closed, as for two kinds of fields that differ: a client may have said one of them past a proxy that
    // speaks in the other.
    if (hops === undefined) return { clientAddress: peer, scheme, doubt: 'contradiction' };
    const said = this.#sayForwarded(hops, peer);
    if (this.#fields === 'rfc7239' || headers['x-forwarded-for'] === undefined) return originOf(said, scheme);
    const other = this.#sayX(headers, peer);
    if (agree(said, other)) return originOf({ ...said, scheme: said.scheme ?? other.scheme }, scheme);
    return { clientAddress: peer, scheme, doubt: 'contradiction' };
  }

  #sayX(headers: IncomingMessage['headers'], peer: string): Said {
    const chain = String(headers['x-forwarded-for'] ?? '');
    const { proxies, ...walked } = this.#walk(chain === '' ? [] : chain.split(','), peer);
    const field = headers['x-forwarded-proto'];
    const entries = field === undefined ? [] : String(field).split(',');
    return { ...walked, scheme: schemeOf(entries, proxies) };
  }

  #sayForwarded(hops: readonly ForwardedHop[], peer: string): Said {
    const { proxies, ...walked } = this.#walk(
      hops.map(({ node }) => node),
      peer,
    );
    const { proto } = hops[Math.max(0, hops.length - proxies)] ?? {};
    return { ...walked, scheme: proto === undefined ? undefined : schemeOf([proto], 1) };
  }

  #walk(chain: readonly string[], peer: string): Walked {
    let clientAddress = peer;
    let proxies = 1;
    for (let at = chain.length - 1; at >= 0; at -= 1) {
      const address = readAddress(chain[at] as string);
      if (address === undefined) return { clientAddress, proxies, isUnreadable: true };
      clientAddress = address;
      if (!this.isTrusted(address)) break;
      proxies += 1;
    }
    return { clientAddress, proxies, isUnreadable: false };
  }

  /** Whether an address is one of a trusted proxy. */
  isTrusted(address: string): boolean {
    return this.#trusted?.has(address) === true;
  }
}

function originOf({ clientAddress, scheme, isUnreadable }: Said, ours: Origin['scheme']): Origin {
  return { clientAddress, scheme: scheme ?? ours, doubt: isUnreadable ? 'unreadable' : undefined };
}

function agree(one: Said, other: Said): boolean {
  const isSameScheme = one.scheme === undefined || other.scheme === undefined || one.scheme === other.scheme;
  return one.clientAddress === other.clientAddress && one.isUnreadable === other.isUnreadable && isSameScheme;
}

// Each proxy adds what it was spoken to with, or the first one says it and the others leave it: the entry of the
// outermost proxy that vouches is the scheme of the client. What stands left of it a client may have made up.
function schemeOf(entries: readonly string[], proxies: number): Origin['scheme'] | undefined {
  return SCHEMES.get(entries[Math.max(0, entries.length - proxies)]?.trim().toLowerCase() ?? '');
}

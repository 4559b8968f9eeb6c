import { BlockList, isIP } from 'node:net';
import { readAddress } from './address-form.ts';

const MAPPED_BITS = 96;

/** A set of addresses and CIDR blocks. IPv4 in the form of IPv6 is IPv4, on both sides. */
export class AddressBlocks {
  readonly #list = new BlockList();

  /** @param entries `loopback`, addresses, or CIDR blocks; checked by the schema. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
  }

  /** Whether an address, in its one form ({@link readAddress}), is among them. What is no address never is. */
  has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  #add(entry: string): void {
    if (entry === 'loopback') {
      this.#list.addSubnet('127.0.0.0', 8);
      this.#list.addAddress('::1', 'ipv6');
      return;
    }
    const [given = '', bits] = entry.split('/');
    const address = readAddress(given) ?? given;
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    // A block of mapped addresses is one of IPv4.
    const tooMany = family === 'ipv4' && given.includes(':') ? MAPPED_BITS : 0;
    if (bits === undefined) this.#list.addAddress(address, family);
    else this.#list.addSubnet(address, Math.max(0, Number(bits) - tooMany), family);
  }
}

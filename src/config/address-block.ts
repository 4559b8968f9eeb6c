import { isIP } from 'node:net';
import { z } from 'zod';

const IPV4_BITS = 32;
const IPV6_BITS = 128;

/** An address or a CIDR block of the configuration, of IPv4 or IPv6, or `loopback`. */
export const addressBlockText = z
  .string()
  .refine(
    (text) => text === 'loopback' || isAddressOrBlock(text),
    'expected `loopback`, an address or a CIDR block',
  );

function isAddressOrBlock(text: string): boolean {
  const [, address = '', bits = '0'] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 6 ? IPV6_BITS : IPV4_BITS);
}

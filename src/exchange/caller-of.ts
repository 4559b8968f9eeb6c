import { addressBlock } from './address-block.ts';
import type { Exchange } from './exchange.ts';
import { partitionOf } from './principal.ts';

/** Who asks, as one text: the principal, or the block of its address for who is none. Never equal for two callers. */
export function callerOf({ principal, clientAddress }: Exchange): string {
  return principal === undefined ? 'ip:' + addressBlock(clientAddress) : partitionOf(principal);
}

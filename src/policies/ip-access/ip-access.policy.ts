import { z } from 'zod';
import { addressBlockText } from '../../config/address-block.ts';
import { definePolicy } from '../policy.ts';

const MAX_BLOCKS = 10_000;
const blocks = z.array(addressBlockText).min(1).max(MAX_BLOCKS);

/** Which client addresses may call at all. */
export const ipAccessPolicy = definePolicy({
  name: 'ipAccess',
  schema: z
    .strictObject({
      allow: blocks
        .optional()
        .describe('Addresses and CIDR blocks that are let in, and no others. Default: all are.'),
      deny: blocks
        .optional()
        .describe(
          'Addresses and CIDR blocks that are kept out, also those that `allow` lets in. Default none.',
        ),
    })
    .refine(
      ({ allow, deny }) => allow !== undefined || deny !== undefined,
      'expected `allow`, `deny`, or both',
    ),
  step: 'address',
  summary:
    'Lets in and keeps out clients by their address, before anybody is asked who calls. Behind trusted proxies it is the address that they vouch for.',
  per: 'connection',
  before: 'identity',
  guards: true,
  refusesWith: ['address-denied'],
  describe: ({ allow, deny }) =>
    [
      ...(allow === undefined ? [] : [`allows ${listed(allow)}`]),
      ...(deny === undefined ? [] : [`denies ${listed(deny)}`]),
    ].join(', '),
});

const FEW = 3;

function listed(entries: readonly string[]): string {
  const more = entries.length - FEW;
  return more > 0 ? `${entries.slice(0, FEW).join(' ')} and ${more} more` : entries.join(' ');
}

/** Lets in and keeps out clients of a controller or handler by their address. */
export const IpAccess = ipAccessPolicy.decorator;

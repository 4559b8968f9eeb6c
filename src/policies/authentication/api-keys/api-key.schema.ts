import { z } from 'zod';
import { addressBlockText } from '../../../config/address-block.ts';
import { TOKEN } from '../../../config/field-name.ts';
import { duration } from '../../../config/units.ts';
import { clientLimitSchema } from '../../rate-limit/client-limit.schema.ts';

const MOST_NAMES = 200;
const MOST_ADDRESSES = 200;
const LONGEST_KEPT_MS = 366 * 86_400_000;

const names = z.array(z.string().min(1).max(256)).max(MOST_NAMES);
const name = z.string().min(1).max(256);

/** A moment as RFC 3339 has it, or the beginning of a day (UTC); in ms since the epoch. */
export const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: 'expected a time such as 2027-01-31T12:00:00Z, or a day',
  })
  .transform((text) => Date.parse(text));

/** What every API key may say of its holder, wherever it is kept. */
export const apiKeyGrants = {
  tier: name.optional().describe('Tier of service of the client.'),
  tenant: name.optional().describe('The tenant that the client belongs to; `X-Tenant-Id` for services.'),
  roles: names.default([]).describe('Roles of the client. Default none.'),
  permissions: names.default([]).describe('Permissions of the client. Default none.'),
  scopes: names.default([]).describe('OAuth scopes of the client. Default none.'),
  expiresAt: moment.optional().describe('When the key ends: RFC 3339, or a day. Default never.'),
  addresses: z
    .array(addressBlockText)
    .min(1)
    .max(MOST_ADDRESSES)
    .optional()
    .describe(
      'Client addresses and CIDR blocks from which the key may be used, as trusted proxies vouch for them. Default: all.',
    ),
  rateLimit: clientLimitSchema
    .optional()
    .describe(
      'How often the client may call, on top of what routes allow, over all of them. Default: no limit.',
    ),
};

/** One of `identity.apiKeys`. */
export const configuredApiKey = z.strictObject({
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'expected the SHA-256 of the key as 64 hex digits, never the key itself')
    .toLowerCase()
    .describe('SHA-256 of the key, in hex; `gatehouse keys create` prints it.'),
  clientId: z.string().min(1).describe('The client application that holds the key.'),
  ...apiKeyGrants,
  enabled: z.boolean().default(true).describe('Whether the key is accepted. Default true.'),
});

/** Names that mean something else. */
const TAKEN =
  /^(?:authorization|cookie|host|connection|content-.*|transfer-encoding|upgrade|forwarded|x-forwarded-.*)$/;

/** `identity.apiKeyOptions`: where keys are looked for, and how long what has ended is remembered. */
export const apiKeyOptionsSchema = z.strictObject({
  header: z
    .string()
    .regex(TOKEN, 'expected the name of a header field')
    .toLowerCase()
    .refine((field) => !TAKEN.test(field), 'expected a field that means nothing else')
    .default('x-api-key')
    .describe(
      'The header field of the key, in place of `X-API-Key`; `Authorization: ApiKey <key>` is always read. Default x-api-key.',
    ),
  query: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected a name of letters, digits, _ and -')
    .optional()
    .describe(
      'A query parameter with the key, for clients that can send no header field. Taken out of each request before anybody else sees it. Default none: addresses end up in logs and histories.',
    ),
  keepEnded: duration
    .refine((ms) => ms >= 1000 && ms <= LONGEST_KEPT_MS, 'expected a duration between 1s and 366d')
    .prefault('30d')
    .describe(
      'How long a key of Redis that was revoked, or has expired, is remembered as such: its use is answered as that, later as of an unknown one. Default 30d.',
    ),
});

/** The parsed `identity.apiKeyOptions`. */
export type ApiKeyOptions = z.output<typeof apiKeyOptionsSchema>;

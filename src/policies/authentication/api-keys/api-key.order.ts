import { z } from 'zod';
import { duration } from '../../../config/units.ts';
import { API_KEY_PREFIX } from './api-key.ts';
import { apiKeyGrants, moment } from './api-key.schema.ts';

const DAY_MS = 86_400_000;
const LONGEST_OVERLAP_MS = 90 * DAY_MS;
const LONGEST_LIFE_MS = 3660 * DAY_MS;

/** Names travel in header fields, in lists with commas between them. */
const name = z
  .string()
  .max(256)
  .regex(/^[!-+\--~]+$/, 'expected a name of printable ASCII without spaces and commas');
const names = z.array(name).max(200);

const life = {
  expiresAt: moment.optional(),
  expiresIn: duration
    .refine((ms) => ms >= 1000 && ms <= LONGEST_LIFE_MS, 'expected a duration between 1s and 3660d')
    .optional(),
};

interface Life {
  readonly expiresAt?: number | null | undefined;
  readonly expiresIn?: number | undefined;
}

function checkLife({ expiresAt, expiresIn }: Life, context: z.RefinementCtx): void {
  const fault = (message: string): void => context.addIssue({ code: 'custom', path: ['expiresAt'], message });
  if (expiresAt !== undefined && expiresIn !== undefined) fault('does not go with expiresIn');
  if (typeof expiresAt === 'number' && expiresAt <= Date.now()) fault('expected a time to come');
}

function settleLife<Order extends Life>({ expiresIn, ...order }: Order): Omit<Order, 'expiresIn'> {
  return expiresIn === undefined ? order : { ...order, expiresAt: Date.now() + expiresIn };
}

/** What somebody wants a new key to be. */
export const keyOrder = z
  .strictObject({
    ...apiKeyGrants,
    clientId: name,
    prefix: z.string().regex(API_KEY_PREFIX, 'expected 1 to 32 letters and digits').optional(),
    tier: name.optional(),
    tenant: name.optional(),
    roles: names.default([]),
    permissions: names.default([]),
    scopes: names.default([]),
    ...life,
  })
  .superRefine(checkLife)
  .transform(settleLife);

/** How a key is to be replaced. */
export const rotationOrder = z
  .strictObject({
    overlap: duration
      .refine((ms) => ms <= LONGEST_OVERLAP_MS, 'expected a duration of at most 90d')
      .prefault('1d'),
    ...life,
  })
  .superRefine(checkLife)
  .transform(settleLife);

/** Why a key is revoked. */
export const keyRevocation = z.strictObject({ reason: z.string().min(1).max(500).optional() });

/** What of a key is to be different; null takes something away (RFC 7396), be it a name, a list or a bound. */
export const keyChange = z
  .strictObject({
    status: z.enum(['active', 'disabled']).optional(),
    tier: name.nullable().optional(),
    tenant: name.nullable().optional(),
    roles: names.nullable().optional(),
    permissions: names.nullable().optional(),
    scopes: names.nullable().optional(),
    addresses: apiKeyGrants.addresses.nullable(),
    rateLimit: apiKeyGrants.rateLimit.nullable(),
    expiresAt: moment.nullable().optional(),
    expiresIn: life.expiresIn,
  })
  .refine((change) => Object.keys(change).length > 0, 'expected something to change')
  .superRefine(checkLife)
  .transform(settleLife);

/** Which page of the keys. */
export const keyQuery = z.strictObject({
  client: z.string().min(1).max(256).optional(),
  after: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected what the page before called `next`')
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** What a key is called: the first digits of its hash, eight at least. */
export const keyName = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{8,64}$/, 'expected the id of a key, as `gatehouse keys list` shows it');

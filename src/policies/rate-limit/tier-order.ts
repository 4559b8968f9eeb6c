import { z } from 'zod';
import { liveLimitSchema, TIER } from './tiers.schema.ts';

const KEY_NAME = /^key:(?:[0-9a-f]{16}|[0-9a-f]{64})$/;
const NAMES = ['tenant:', 'key:', 'user:', 'client:'] as const;

/** Whom a tier or a limit can be said for. */
export const tierSubject = z
  .string()
  .max(2048)
  .refine((name) => NAMES.some((one) => name.startsWith(one) && name.length > one.length), {
    message: 'expected `tenant:…`, `key:…`, `user:…` or `client:…`, as explain shows a principal',
    abort: true,
  })
  .refine((name) => !name.startsWith('key:') || KEY_NAME.test(name), {
    message: 'expected `key:` and the id of a key, as `gatehouse keys list` shows it, or its whole sha256',
  });

const tierName = z.string().max(128).regex(TIER, 'expected letters, digits, dots, dashes and underscores');
const reason = z.string().min(1).max(500).optional();

/** What a tier is to be from now on; null for what the file says. */
export const tierLimitOrder = z.strictObject({
  tier: tierName,
  limit: liveLimitSchema.nullable(),
  /** Whether it may be one that the file does not describe. */
  create: z.boolean().default(false),
  reason,
});

/** What somebody is to have from now on: a tier, a limit in place of that of its tier; null takes it away. */
export const tierSubjectOrder = z
  .strictObject({
    subject: tierSubject,
    tier: tierName.nullable().optional(),
    limit: liveLimitSchema.nullable().optional(),
    reason,
  })
  .refine(({ tier, limit }) => tier !== undefined || limit !== undefined, {
    message: 'expected a tier, a limit, or null for one of them',
    path: ['tier'],
  });

/** Which page of those for whom something is said. */
export const tierSubjectQuery = z.strictObject({
  subject: z.string().min(1).max(2048).optional(),
  tier: z.string().min(1).max(128).optional(),
  after: z.string().min(1).max(2048).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** A question. */
export type TierSubjectQuery = z.output<typeof tierSubjectQuery>;

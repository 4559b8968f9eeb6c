import { z } from 'zod';
import { urlFault, type UrlRules } from '../../config/url.ts';

const ISSUER_URL: UrlRules = {
  schemes: ['http', 'https'],
  example: 'https://id.example.com/',
  rest: 'anything',
};

/** Signature algorithms with a public key that this version verifies (RFC 7518 section 3.1). */
export const ASYMMETRIC_ALGORITHMS = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512',
] as const; // prettier-ignore

/** A list of names. */
export const names = z.array(z.string().min(1));

const claimName = z.string().min(1).max(256);
/** One claim, or several whose lists are put together. */
const claimList = z
  .union([claimName, z.array(claimName).min(1).max(20)])
  .transform((given) => [...new Set([given].flat())]);

/** Where tokens say what. */
export const claimNames = z.strictObject({
  roles: claimList
    .prefault('roles')
    .describe('Claim with the roles, or several whose roles are put together. Default `roles`.'),
  permissions: claimList
    .prefault('permissions')
    .describe('Claim with permissions, or several. Default `permissions`.'),
  email: z.string().min(1).default('email').describe('Claim with the email address. Default `email`.'),
  tenant: z.string().min(1).default('tenant').describe('Claim with the tenant. Default `tenant`.'),
  tier: z.string().min(1).default('tier').describe('Claim with the tier of service. Default `tier`.'),
});

/** Any text (RFC 7519 section 4.1.1), but what looks like a URL has to be one: a typing error would refuse each token. */
export const issuerName = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const message = text.includes('://') ? urlFault(text, ISSUER_URL) : undefined;
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** What stands before the ids of an issuer. */
export const idPrefix = z
  .string()
  .max(64)
  .regex(/^(?:[!-~]*[^0-9A-Za-z])?$/, 'expected visible ASCII that ends in a separator, such as acme:')
  .default('')
  .describe(
    'Put before the ids of its users and applications in everything that services are told, such as X-User-Id. Default none; with several issuers give each its own, or equal ids name different people.',
  );

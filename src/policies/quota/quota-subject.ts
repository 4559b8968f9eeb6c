import { addressBlock } from '../../exchange/address-block.ts';
import { apiKeyOf, issuerText, partitionOf, type Principal } from '../../exchange/principal.ts';
import type { QUOTA_KEYS } from './quota.policy.ts';

/** Whose quota a rule means. */
export type QuotaKey = (typeof QUOTA_KEYS)[number];

/** What tells whose quota it is: an exchange, or what is known of one. */
export interface QuotaCaller {
  readonly principal: Principal | undefined;
  readonly clientAddress: string;
}

/** The subject of a quota that is one for everybody. */
export const EVERYBODY = 'all';

/**
 * Returns who a request counts for. A tenant is one of its issuer: whoever else vouches for a tenant of the same name uses up
 * nothing of it. Who has no tenant, or no API key, counts as a principal, and who is nobody by address.
 */
export function quotaSubjectOf(key: QuotaKey, { principal, clientAddress }: QuotaCaller): string {
  if (key === 'global') return EVERYBODY;
  if (principal === undefined) return 'ip:' + addressBlock(clientAddress);
  if (key === 'apiKey') {
    const id = apiKeyOf(principal);
    if (id !== undefined) return 'key:' + id;
  }
  if (key === 'tenant' && principal.tenant !== undefined)
    return `tenant:${issuerText(principal)}:${principal.tenant}`;
  return partitionOf(principal);
}

/** The place of a quota among all: who it is of comes first, and is what a cluster chooses a node by. */
export function quotaKeyOf(subject: string, id: string): string {
  // The braces end with the subject, whatever is in it, and no two subjects are spelled the same.
  return `{${subject.replaceAll('\\', '\\5C').replaceAll('}', '\\7D')}}:${id}`;
}

/** Who the quota at a place is of. */
export function subjectOfKey(key: string): string {
  return key.slice(1, key.indexOf('}')).replaceAll('\\7D', '}').replaceAll('\\5C', '\\');
}

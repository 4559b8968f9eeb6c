import { AddressBlocks } from '../../../exchange/address-blocks.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import type { Principal } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import { refused } from '../verifier.ts';
import type { ApiKeyRecord } from './api-key.store.ts';

/** The same words for an unknown and a disabled key: which of them it is, is not the caller's to know. */
export const REFUSAL = 'The API key is not valid.';

const FORBIDDEN = { http: 403, grpc: 7 };

/** A key as a process knows it: its record, ready to be used. */
export class KnownKey {
  readonly record: ApiKeyRecord;
  readonly principal: Principal;
  readonly #addresses: AddressBlocks | undefined;
  /** When its store has confirmed it; in ms since the epoch. */
  confirmedAt = 0;
  /** When its use was last taken note of. */
  notedAt = -Infinity;

  constructor(record: ApiKeyRecord) {
    this.record = record;
    this.principal = holderOf(record);
    this.#addresses = record.addresses && new AddressBlocks(record.addresses);
  }

  /** Why nobody may use it; undefined when somebody may. @param now in ms since the epoch. */
  refusal(now: number): Problem | undefined {
    const { status, expiresAt = Infinity } = this.record;
    if (status === 'revoked')
      return new Problem('credentials-revoked', { detail: 'The API key was revoked.', as: FORBIDDEN });
    if (status !== 'active') return refused(REFUSAL);
    if (now < expiresAt) return undefined;
    return new Problem('credentials-expired', { detail: 'The API key has expired.' });
  }

  /** Why an exchange may not be done with it; undefined when it may. */
  refusalFor({ clientAddress, addressDoubt }: Exchange, now: number): Problem | undefined {
    const refusal = this.refusal(now);
    if (refusal !== undefined || this.#addresses === undefined) return refusal;
    // Fails closed: the address would be that of a proxy, which may be let in where its clients are not.
    if (addressDoubt === undefined && this.#addresses.has(clientAddress)) return undefined;
    const detail = 'The API key may not be used from this address.';
    return new Problem('address-denied', { detail, by: 'addresses of the API key' });
  }
}

/** Why an exchange may not be done with a key, whether or not there is one. */
export function refusalOf(key: KnownKey | undefined, exchange: Exchange, now: number): Problem | undefined {
  return key === undefined ? refused(REFUSAL) : key.refusalFor(exchange, now);
}

function holderOf(record: ApiKeyRecord): Principal {
  const { clientId, rateLimit } = record;
  return Object.freeze({
    id: clientId,
    scheme: 'apiKey',
    issuer: undefined,
    subject: undefined,
    clientId,
    apiKeyId: record.sha256,
    roles: Object.freeze([...record.roles]),
    permissions: Object.freeze([...record.permissions]),
    scopes: Object.freeze([...record.scopes]),
    email: undefined,
    tenant: record.tenant,
    tier: record.tier,
    claims: NO_CLAIMS,
    limit: rateLimit && Object.freeze({ rate: rateLimit.rate, perMs: rateLimit.per, burst: rateLimit.burst }),
  });
}

const NO_CLAIMS = Object.freeze({});

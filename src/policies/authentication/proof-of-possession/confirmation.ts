import type { Principal } from '../../../exchange/principal.ts';

/** What a token is bound to (RFC 7800 section 3.1). */
export interface Confirmation {
  /** The thumbprint of a key (RFC 9449 section 6). */
  readonly jkt: string | undefined;
  /** The SHA-256 of a certificate (RFC 8705 section 3.1). */
  readonly x5t: string | undefined;
}

const confirmations = new WeakMap<Principal, Confirmation>();
/** Bound, and nobody knows to what. */
const UNKNOWN: Confirmation = Object.freeze({ jkt: undefined, x5t: undefined });

/** What the token of a principal is bound to, read once; undefined for nothing. */
export function confirmationOf(principal: Principal): Confirmation | undefined {
  const cnf = principal.claims['cnf'];
  if (cnf === undefined) return undefined;
  let known = confirmations.get(principal);
  if (known === undefined) {
    known = readConfirmation(cnf);
    confirmations.set(principal, known);
  }
  return known;
}

function readConfirmation(cnf: unknown): Confirmation {
  if (typeof cnf !== 'object' || cnf === null || Array.isArray(cnf)) return UNKNOWN;
  const { jkt, 'x5t#S256': x5t } = cnf as Readonly<Record<string, unknown>>;
  // Fails closed: a member that is there and cannot be read is not as good as none.
  if (![jkt, x5t].every((one) => one === undefined || typeof one === 'string')) return UNKNOWN;
  return { jkt: jkt as string | undefined, x5t: x5t as string | undefined };
}

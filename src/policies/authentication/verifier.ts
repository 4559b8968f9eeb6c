import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Problem, retryAfterSeconds } from '../../problems/problem.ts';

/** What a route accepts. */
export interface RouteCredentials {
  readonly schemes: readonly CredentialVerifier['scheme'][];
  /** Whether tokens need a proof of possession here, whatever they need elsewhere. */
  readonly dpop?: 'require' | undefined;
}

/** Tells the time in ms since the epoch. */
export type Clock = () => number;

/** Checks one kind of credential. */
export interface CredentialVerifier {
  readonly scheme: 'jwt' | 'introspection' | 'apiKey' | 'mtls' | 'session';
  /** False when nothing is configured that a credential could be checked against. */
  readonly configured: boolean;
  /**
   * Returns the challenge for `WWW-Authenticate` (RFC 9110 section 11.6.1), or several.
   *
   * @param refusal why the credential was refused; undefined when there was none.
   * @param exchange whose credential it is; absent for none in particular.
   */
  challenge(refusal?: Problem, exchange?: Exchange): string | readonly string[];
  /** The same for a route: which credentials it leaves to other schemes, and what it asks for. Default: it is the same everywhere. */
  onRoute?(route: RouteCredentials): CredentialVerifier;
  /**
   * Returns the caller, or undefined when the request carries no credential of this kind. Synchronous when
   * the credential was checked a moment ago.
   *
   * @throws {Problem} `credentials-invalid`, `credentials-expired` or `identity-unavailable`.
   */
  verify(exchange: Exchange): Principal | Promise<Principal> | undefined;
  /**
   * Returns the caller by what is remembered of good credentials alone, {@link UNKNOWN} for a credential that would have to be
   * checked, or undefined for none. Absent for a scheme whose checks cost nothing: it is asked to verify.
   */
  known?(exchange: Exchange): Principal | typeof UNKNOWN | undefined;
  /** Has the client forget a credential that was revoked, with its answer. Absent for those that the gateway did not give it. */
  forget?(exchange: Exchange): void;
}

/** A credential that nobody remembers. */
export const UNKNOWN = Symbol('unknown');

/** The protection space that challenges name. */
export const REALM = 'gatehouse';

/**
 * Makes the problem for a credential that was checked and refused.
 *
 * @param detail one sentence of ours without quotes: it becomes `error_description` too.
 * @param cause the error of the library; logged, never sent.
 */
export function refused(detail: string, cause?: unknown): Problem {
  return new Problem('credentials-invalid', { detail, cause });
}

/** Makes the problem for a credential that could neither be accepted nor refused. */
export function unavailable(retryAfterMs: number, cause?: unknown): Problem {
  return new Problem('identity-unavailable', {
    headers: { 'retry-after': retryAfterSeconds(retryAfterMs) },
    cause,
  });
}

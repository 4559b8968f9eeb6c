import { hash } from 'node:crypto';
import type { Exchange } from '../../exchange/exchange.ts';
import { addressBlock } from '../../exchange/address-block.ts';
import { partitionOf } from '../../exchange/principal.ts';
import type { PolicySet } from '../order.ts';

const NAME = 'idempotency:';

/** Digests of a request: requests are the same if these are. */
export interface Fingerprint {
  /** Of method, path, query, type and coding of the content. */
  readonly head: string;
  /** Of the body, byte by byte; empty while nobody has seen all of it. */
  readonly body: string;
}

/**
 * Under what a key is found again: a digest of who calls, the tenant, where (host, route, and the whole path with its
 * parameters), and the key. Never without a caller: nobody gets what another one was answered.
 */
export function recordName(routeId: string, exchange: Exchange, key: string): string {
  const { principal, host, path, clientAddress } = exchange;
  const caller = principal === undefined ? `ip:${addressBlock(clientAddress)}` : partitionOf(principal);
  return NAME + digest([caller, principal?.tenant ?? null, host, routeId, path, key]);
}

/** The digest of all that a request says besides its body; the order of the query's parameters does not count, but for those of one name. */
export function headOf(routeId: string, { method, path, query, request }: Exchange): string {
  const sorted = query.replace(/^\?/, '').split('&').sort(byName);
  return digest([
    method,
    routeId,
    path,
    sorted,
    request.headers['content-type']?.trim().toLowerCase() ?? null,
    // The same bytes are another body by it.
    request.headers['content-encoding']?.trim().toLowerCase() ?? null,
  ]);
}

function byName(one: string, other: string): number {
  const [a, b] = [nameIn(one), nameIn(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function nameIn(parameter: string): string {
  const end = parameter.indexOf('=');
  return end < 0 ? parameter : parameter.slice(0, end);
}

/** The digest of a body. */
export function bodyDigest(body: Buffer): string {
  return hash('sha256', body, 'base64url');
}

/**
 * A digest of what decides how much of an answer its caller sees: an answer that was made under other edits, or for other
 * rights, is told nobody again.
 */
export function viewOf({ principal }: Exchange, { transform }: PolicySet): string {
  const { roles = [], permissions = [], scopes = [] } = principal ?? {};
  return digest([transform?.response ?? null, ...[roles, permissions, scopes].map((one) => [...one].sort())]);
}

/** Whether two requests may be the same one; of a body that nobody has seen the whole of, anything may be. */
export function isSame(one: Fingerprint, other: Fingerprint): boolean {
  return one.head === other.head && (one.body === '' || other.body === '' || one.body === other.body);
}

function digest(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url');
}

import { hash } from 'node:crypto';
import { compileText } from '../../conditions/condition.ts';
import { addressBlock, addressPrefix } from '../../exchange/address-block.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { partitionOf } from '../../exchange/principal.ts';
import type { KeyPart, LimitKey } from './limit-key.schema.ts';

/** Says who a request counts for. */
export type SubjectOf = (exchange: Exchange) => string;

/** What of a route a key may say. */
export interface SubjectPlace {
  readonly routeId: string;
  /** Names of the parameters of its path. */
  readonly params?: readonly string[] | undefined;
}

/** Longer values are counted by their digest: nobody fills the store with what he makes up. */
const LONGEST_VALUE = 64;

/**
 * Compiles a key. Each kind of subject has a namespace of its own, so that a principal called `1.2.3.4` shares no bucket with
 * that address, nor a user with an application of the same name or with a user of another issuer. Who has nothing of the kind
 * that a rule asks for counts as the principal, and who is nobody by address.
 *
 * @throws {Error} for an expression that makes no sense for the route.
 */
export function compileSubject(key: LimitKey, place: SubjectPlace): SubjectOf {
  if (!Array.isArray(key)) return compilePart(key, place);
  const parts = key.map((one) => compilePart(one, place));
  return (exchange) => parts.map((part) => escaped(part(exchange))).join('|');
}

/** Whom a request counts for where its principal does, or its address for none. */
export function principalOrAddress({ principal, clientAddress }: Exchange): string {
  return principal === undefined ? 'ip:' + addressBlock(clientAddress) : partitionOf(principal);
}

const WORDS: Readonly<Record<Exclude<KeyPart, object | 'route'>, SubjectOf>> = {
  global: () => 'all',
  ip: ({ clientAddress }) => 'ip:' + addressBlock(clientAddress),
  principal: principalOrAddress,
  apiKey: ({ principal, clientAddress }) =>
    principal?.apiKeyId === undefined ? 'ip:' + addressBlock(clientAddress) : 'key:' + principal.apiKeyId,
  tenant: (exchange) => {
    const tenant = exchange.principal?.tenant;
    return tenant === undefined ? principalOrAddress(exchange) : 'tenant:' + short(tenant);
  },
};

function compilePart(key: KeyPart, place: SubjectPlace): SubjectOf {
  if (key === 'route') return () => 'route:' + place.routeId;
  if (typeof key === 'string') return WORDS[key];
  if ('ip' in key)
    return ({ clientAddress }) => 'ip:' + addressPrefix(clientAddress, key.ip.ipv4, key.ip.ipv6);
  if ('header' in key) return valued('header', ({ request }) => request.headers[key.header]);
  if ('claim' in key) return valued('claim', ({ principal }) => ownOf(principal?.claims, key.claim));
  if ('query' in key) return valued('query', ({ query }) => parametersOf(query, key.query));
  const textOf = compileText(key.cel, { params: place.params });
  return valued('cel', (exchange) => {
    try {
      return textOf(exchange);
    } catch {
      return undefined;
    }
  });
}

function valued(kind: string, valueOf: (exchange: Exchange) => unknown): SubjectOf {
  return (exchange) => {
    const value = valueOf(exchange);
    if (value === undefined || value === null || value === '') return principalOrAddress(exchange);
    return `${kind}:${short(typeof value === 'object' ? JSON.stringify(value) : String(value as string))}`;
  };
}

function ownOf(claims: Readonly<Record<string, unknown>> | undefined, name: string): unknown {
  return claims !== undefined && Object.hasOwn(claims, name) ? claims[name] : undefined;
}

// All of several, so that it makes no difference which of them the service reads.
function parametersOf(query: string, name: string): string | undefined {
  const values = query === '' ? [] : new URLSearchParams(query).getAll(name);
  return values.length === 0 ? undefined : values.join(',');
}

function short(value: string): string {
  return value.length <= LONGEST_VALUE ? value : 'sha256:' + hash('sha256', value, 'base64url');
}

// No part can spell the beginning of another.
function escaped(part: string): string {
  return part.includes('|') || part.includes('%') ? part.replaceAll('%', '%25').replaceAll('|', '%7C') : part;
}

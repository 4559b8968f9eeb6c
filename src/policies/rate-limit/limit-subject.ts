import { hash } from 'node:crypto';
import { compileText } from '../../conditions/condition.ts';
import { addressBlock, addressPrefix } from '../../exchange/address-block.ts';
import { callerOf } from '../../exchange/caller-of.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { apiKeyOf, issuerText } from '../../exchange/principal.ts';
import type { KeyPart, LimitKey } from './limit-key.schema.ts';

/** Says who a request counts for. */
export type SubjectOf = (exchange: Exchange) => string;

/** What of a route a key may say. */
export interface SubjectPlace {
  readonly routeId: string;
  /** Names of the parameters of its path. */
  readonly params?: readonly string[] | undefined;
}

/** Whether subjects are spelled so that they are told apart, or as operators name them, who say `tenant:acme`. */
export type Spelling = 'apart' | 'named';

/** Longer values are counted by their digest: nobody fills the store with what he makes up. */
const LONGEST_VALUE = 64;
const DIGEST = 'sha256:';
/** Fields of credentials: their values stand in no key, and in no log. */
const SECRET: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie']);

/**
 * Compiles a key. Each kind of subject has a namespace of its own, so that a principal called `1.2.3.4` shares no bucket with
 * that address, nor a user with an application of the same name or with a user of another issuer. A tenant is one of its issuer,
 * and so is what a claim says: whoever else vouches for the same name uses up nothing of it. Who has nothing of the kind that a
 * rule asks for counts as the principal, and who is nobody by address.
 *
 * @throws {Error} for an expression that makes no sense for the route.
 */
export function compileSubject(key: LimitKey, place: SubjectPlace, spelling: Spelling = 'apart'): SubjectOf {
  const partOf = spelling === 'apart' ? compilePart : compileNamed;
  if (!Array.isArray(key)) return partOf(key, place);
  const parts = key.map((one) => partOf(one, place));
  return (exchange) => parts.map((part) => escaped(part(exchange))).join('|');
}

const WORDS: Readonly<Record<Exclude<KeyPart, object | 'route'>, SubjectOf>> = {
  global: () => 'all',
  ip: ({ clientAddress }) => 'ip:' + addressBlock(clientAddress),
  principal: callerOf,
  apiKey: ({ principal, clientAddress }) => {
    const id = principal && apiKeyOf(principal);
    return id === undefined ? 'ip:' + addressBlock(clientAddress) : 'key:' + id;
  },
  tenant: (exchange) => {
    const { principal } = exchange;
    return principal?.tenant === undefined
      ? callerOf(exchange)
      : `tenant:${issuerText(principal)}:${short(principal.tenant)}`;
  },
};

function compilePart(key: KeyPart, place: SubjectPlace): SubjectOf {
  if (key === 'route') return () => 'route:' + place.routeId;
  if (typeof key === 'string') return WORDS[key];
  if ('ip' in key)
    return ({ clientAddress }) => 'ip:' + addressPrefix(clientAddress, key.ip.ipv4, key.ip.ipv6);
  if ('header' in key) return compileHeader(key.header);
  if ('claim' in key) {
    const named = claimOf(key.claim);
    return valued('claim', named, ({ principal }) =>
      principal === undefined ? '' : issuerText(principal) + ':',
    );
  }
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

function compileNamed(key: KeyPart, place: SubjectPlace): SubjectOf {
  if (typeof key === 'object' && 'claim' in key) return valued('claim', claimOf(key.claim));
  if (key === 'tenant') return valued('tenant', ({ principal }) => principal?.tenant);
  return compilePart(key, place);
}

function compileHeader(name: string): SubjectOf {
  if (!SECRET.has(name)) return valued('header', ({ request }) => request.headers[name]);
  return valued('header', ({ request }) => {
    const value = request.headers[name];
    return value === undefined || value === '' ? undefined : digest(String(value));
  });
}

function claimOf(name: string): (exchange: Exchange) => unknown {
  return ({ principal }) =>
    principal !== undefined && Object.hasOwn(principal.claims, name) ? principal.claims[name] : undefined;
}

function valued(
  kind: string,
  valueOf: (exchange: Exchange) => unknown,
  within: (exchange: Exchange) => string = nowhere,
): SubjectOf {
  return (exchange) => {
    const value = valueOf(exchange);
    if (value === undefined || value === null || value === '') return callerOf(exchange);
    const text = short(typeof value === 'object' ? JSON.stringify(value) : String(value as string));
    return `${kind}:${within(exchange)}${text}`;
  };
}

function nowhere(): string {
  return '';
}

// All of several, so that it makes no difference which of them the service reads.
function parametersOf(query: string, name: string): string | undefined {
  const values = query === '' ? [] : new URLSearchParams(query).getAll(name);
  return values.length === 0 ? undefined : values.join(',');
}

// Nobody spells the digest of another value.
function short(value: string): string {
  return value.length <= LONGEST_VALUE && !value.startsWith(DIGEST) ? value : digest(value);
}

function digest(value: string): string {
  return DIGEST + hash('sha256', value, 'base64url');
}

// No part can spell the beginning of another.
function escaped(part: string): string {
  return part.includes('|') || part.includes('%') ? part.replaceAll('%', '%25').replaceAll('|', '%7C') : part;
}

import type { IncomingHttpHeaders } from 'node:http';

/** What the owner of a route lets the pages of its origins do. Without methods or fields: those that they ask for. */
export interface CorsTerms {
  readonly isForAll: boolean;
  readonly credentials: boolean;
  readonly privateNetwork: boolean;
  readonly methods?: readonly string[] | undefined;
  readonly headers?: readonly string[] | undefined;
  /** In ms; undefined for what browsers do by themselves. */
  readonly maxAge?: number | undefined;
}

const FIELD_NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[\t ]*,[\t ]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;
const MAX_NAMES_LENGTH = 4096;

/** What two routes both let pages do; fails closed, for nobody knows which of them a request will take. */
export function meetOf(one: CorsTerms, other: CorsTerms): CorsTerms {
  if (one === other) return one;
  return {
    isForAll: one.isForAll && other.isForAll,
    credentials: one.credentials && other.credentials,
    privateNetwork: one.privateNetwork && other.privateNetwork,
    methods: both(one.methods, other.methods, (name) => name),
    headers: both(one.headers, other.headers, (name) => name.toLowerCase()),
    maxAge:
      one.maxAge === undefined || other.maxAge === undefined ? undefined : Math.min(one.maxAge, other.maxAge),
  };
}

/** The fields that grant a page, whose origin is taken, what its preflight asks for: a flat list. */
export function grantOf(terms: CorsTerms, asked: IncomingHttpHeaders): string[] {
  const methods = terms.methods?.join(', ') ?? asked['access-control-request-method'] ?? '';
  const names = terms.headers?.join(', ') ?? asked['access-control-request-headers'];
  const isSane = typeof names === 'string' && names.length <= MAX_NAMES_LENGTH && FIELD_NAMES.test(names);
  const isPrivate = terms.privateNetwork && asked['access-control-request-private-network'] === 'true';
  return [
    'access-control-allow-origin',
    terms.isForAll ? '*' : (asked.origin as string),
    ...(methods === '' ? [] : ['access-control-allow-methods', methods]),
    ...(isSane ? ['access-control-allow-headers', names] : []),
    ...(terms.credentials ? ['access-control-allow-credentials', 'true'] : []),
    ...(terms.maxAge === undefined
      ? []
      : ['access-control-max-age', String(Math.floor(terms.maxAge / 1000))]),
    ...(isPrivate ? ['access-control-allow-private-network', 'true'] : []),
  ];
}

type Names = readonly string[] | undefined;

function both(one: Names, other: Names, fold: (name: string) => string): Names {
  if (one === undefined || other === undefined) return one ?? other;
  const known = new Set(other.map(fold));
  return one.filter((name) => known.has(fold(name)));
}

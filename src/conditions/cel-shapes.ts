import type { Exchange } from '../exchange/exchange.ts';
import { repeatedFields } from '../exchange/single-fields.ts';
import { foldName, isToldName } from '../exchange/reserved-names.ts';
import { QuerySpellings } from '../exchange/query-spellings.ts';
import type { Principal } from '../exchange/principal.ts';
import { NO_ROLES, type RoleBook } from '../exchange/role-book.ts';
import {
  boundedMembers,
  boundedNames,
  boundedValue,
  made,
  MAX_NAMES,
  takeMade,
  Untold,
  type Made,
} from './bounded-value.ts';
import { paramsOf } from './path-params.ts';

/** Who calls, as conditions see it; nobody is a principal whose texts and lists are empty. */
export class CelPrincipal {
  readonly id: string;
  readonly scheme: string;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string;
  readonly email: string;
  readonly tenant: string;
  readonly tier: string;
  readonly #principal: Partial<Principal>;
  readonly #roles: readonly string[];
  readonly #goesThrough: boolean;
  #claims: Made<unknown> | undefined = undefined;

  /**
   * @param roles those that it has and those that they include.
   * @param goesThrough whether it is for conditions that go through lists.
   */
  constructor(principal: Partial<Principal>, roles: readonly string[], goesThrough: boolean) {
    this.id = principal.id ?? '';
    this.scheme = principal.scheme ?? '';
    this.issuer = principal.issuer ?? '';
    this.subject = principal.subject ?? '';
    this.clientId = principal.clientId ?? '';
    this.email = principal.email ?? '';
    this.tenant = principal.tenant ?? '';
    this.tier = principal.tier ?? '';
    this.#principal = principal;
    this.#roles = roles;
    this.#goesThrough = goesThrough;
  }

  get roles(): readonly string[] {
    return boundedNames(this.#roles, 'principal.roles');
  }

  get permissions(): readonly string[] {
    return boundedNames(this.#principal.permissions ?? [], 'principal.permissions');
  }

  get scopes(): readonly string[] {
    return boundedNames(this.#principal.scopes ?? [], 'principal.scopes');
  }

  get claims(): unknown {
    const bounds = { of: 'principal.claims', goesThrough: this.#goesThrough };
    return takeMade((this.#claims ??= made(() => boundedValue(this.#principal.claims ?? {}, bounds))));
  }
}

/** What is asked, as conditions see it. */
export class CelRequest {
  readonly #exchange: Exchange;
  readonly #reads: Reads;
  #headers: Made<ReadonlyMap<string, unknown>> | undefined = undefined;
  #query: Made<ReadonlyMap<string, string>> | undefined = undefined;

  constructor(exchange: Exchange, reads: Reads) {
    this.#exchange = exchange;
    this.#reads = reads;
  }

  get method(): string {
    return this.#exchange.method;
  }

  get scheme(): string {
    return this.#exchange.scheme;
  }

  get host(): string {
    return this.#exchange.host;
  }

  get path(): string {
    return this.#exchange.path;
  }

  get headers(): ReadonlyMap<string, unknown> {
    return takeMade((this.#headers ??= made(() => this.#readHeaders())));
  }

  get query(): ReadonlyMap<string, string> {
    return takeMade((this.#query ??= made(() => readQuery(this.#exchange.query))));
  }

  #readHeaders(): ReadonlyMap<string, unknown> {
    const { headers, rawHeaders } = this.#exchange.request;
    const { single, fields } = this.#reads;
    // Fails closed: `node:http` shows the first of several, and whoever is behind may read another one.
    if (single.size > 0 && repeatedFields(rawHeaders, single))
      throw new Untold('a header field that a condition reads stands there twice');
    // What only clients say here is none; by a name that stands there it is a fault.
    if (fields === undefined)
      return new Map(Object.entries(headers).filter(([name]) => !isToldName(foldName(name))));
    const found = new Map<string, unknown>();
    for (const name of fields) if (Object.hasOwn(headers, name)) found.set(name, headers[name]);
    return found;
  }
}

/** The parameters of a query, each that stands there once. @throws {Untold} for more than conditions look at. */
function readQuery(query: string): ReadonlyMap<string, string> {
  if (query.split('&', MAX_NAMES + 1).length > MAX_NAMES)
    throw new Untold('the query has too many parameters');
  const values = new Map<string, string>();
  const repeated = new Set<string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (values.has(name)) repeated.add(name);
    values.set(name, value);
  }
  // Fails closed: two servers could read different ones of them, and of names that some take for one another.
  for (const name of repeated) values.delete(name);
  const spellings = new QuerySpellings([...values.keys(), ...repeated]);
  return new Map([...values].filter(([name]) => !spellings.haveOther(name)));
}

/** The route that takes the request. */
export class CelRoute {
  readonly id: string;
  readonly path: string;
  readonly upstream: string;

  constructor({ route }: Exchange) {
    this.id = route?.id ?? '';
    this.path = route?.pattern.source ?? '';
    this.upstream = route?.upstream ?? '';
  }
}

/** Where the request comes from. */
export class CelClient {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get ip(): string {
    isForNobodyElse(this.#exchange);
    const { addressDoubt, clientAddress } = this.#exchange;
    // Fails closed: the address would be that of a proxy, which may be let in where its clients are not.
    if (addressDoubt !== undefined || clientAddress === '')
      throw new Untold('the address of the client is in doubt');
    return clientAddress;
  }

  /** SHA-256 of its certificate in hex; empty for none. */
  get certificate(): string {
    return this.#exchange.clientCertificate?.fingerprint ?? '';
  }
}

/** What a condition is asked about besides the exchange; each only where the condition may name it. */
export interface Extras {
  /** Reads the path parameters, where they are not those of the route. */
  readonly params?: () => ReadonlyMap<string, string>;
  readonly body?: unknown;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly parent?: unknown;
}

type ExtraName = 'body' | 'args' | 'parent';

/** What a condition reads, as far as that is known before. */
export interface Reads {
  /** The header fields that it reads; undefined for all. */
  readonly fields: readonly string[] | undefined;
  /** Those of them of which Node shows the first of several. */
  readonly single: ReadonlySet<string>;
  /** Whether it goes through lists. */
  readonly goesThrough: boolean;
  /** The members that it looks at of each of these; undefined for all. */
  readonly members: Readonly<Record<ExtraName, readonly string[] | undefined>>;
}

/** What one condition may see of one exchange; made when it is looked at. */
export class CelContext {
  readonly #exchange: Exchange;
  readonly #extras: Extras | undefined;
  readonly #reads: Reads;
  #request: CelRequest | undefined = undefined;
  #params: Made<ReadonlyMap<string, string>> | undefined = undefined;
  #bounded: Partial<Record<ExtraName, Made<unknown>>> | undefined = undefined;

  constructor(exchange: Exchange, reads: Reads, extras?: Extras) {
    this.#exchange = exchange;
    this.#reads = reads;
    this.#extras = extras;
  }

  get principal(): CelPrincipal {
    const { principal, route } = this.#exchange;
    if (principal === undefined) return NOBODY;
    return celPrincipal(principal, route?.roles ?? NO_ROLES, this.#reads.goesThrough);
  }

  get request(): CelRequest {
    return (this.#request ??= new CelRequest(this.#exchange, this.#reads));
  }

  get route(): CelRoute {
    return new CelRoute(this.#exchange);
  }

  get params(): ReadonlyMap<string, string> {
    return takeMade((this.#params ??= made(() => this.#extras?.params?.() ?? paramsOf(this.#exchange))));
  }

  get client(): CelClient {
    return new CelClient(this.#exchange);
  }

  get now(): Date {
    isForNobodyElse(this.#exchange);
    return new Date();
  }

  get body(): unknown {
    return this.#extra('body');
  }

  get args(): unknown {
    return this.#extra('args');
  }

  get parent(): unknown {
    return this.#extra('parent');
  }

  #extra(name: ExtraName): unknown {
    const known = (this.#bounded ??= {});
    const { members, goesThrough } = this.#reads;
    const value = this.#extras?.[name] ?? {};
    const bounds = { of: name, goesThrough };
    return takeMade((known[name] ??= made(() => boundedMembers(value, members[name], bounds))));
  }
}

// Fails closed: what a handler shows because of an address or the time is not kept, since another request of its caller may come
// from elsewhere, and later. Where answers are forwarded, whoever may not see them was refused before.
function isForNobodyElse({ route, recording }: Exchange): void {
  if (route?.door === 'handler') recording?.refuse();
}

const NOBODY = new CelPrincipal({}, [], false);

interface Known {
  readonly book: RoleBook;
  /** By whether it is for conditions that go through lists. */
  readonly cel: Map<boolean, CelPrincipal>;
}

/** Made once for a principal, who is the same for many requests. */
const principals = new WeakMap<Principal, Known>();

function celPrincipal(principal: Principal, book: RoleBook, goesThrough: boolean): CelPrincipal {
  let known = principals.get(principal);
  if (known?.book !== book) principals.set(principal, (known = { book, cel: new Map() }));
  let cel = known.cel.get(goesThrough);
  if (cel === undefined) {
    cel = new CelPrincipal(principal, book.holdingsOf(principal).roleNames, goesThrough);
    known.cel.set(goesThrough, cel);
  }
  return cel;
}

import { GraphQLError } from 'graphql';
import type { Exchange } from '../../../exchange/exchange.ts';
import { principalOrAddress } from '../../../policies/rate-limit/limit-subject.ts';
import { isFaults, type Documents } from './documents.ts';
import type { GraphqlLimits } from '../door/graphql.options.ts';
import type { GraphqlRequest } from '../door/graphql-request.ts';
import type { DocumentOrigin } from '../execution/operation-plan.ts';
import type { OperationMeters } from '../execution/operation-meters.ts';
import type { PersistedQueries } from './persisted-queries.ts';
import type { PreparedOperation } from './prepared-operation.ts';
import { sha256 } from './trusted-documents.ts';

type Found = PreparedOperation | readonly GraphQLError[];

/** The errors that clients of automatic persisted queries know by name. */
const NOT_FOUND = protocolError('PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND');
const NOT_SUPPORTED = protocolError('PersistedQueryNotSupported', 'PERSISTED_QUERY_NOT_SUPPORTED');
const WRONG_HASH = [new GraphQLError('The hash is not the SHA-256 of the document.')];
const UNKNOWN_ID = [new GraphQLError('There is no trusted document with this "documentId".')];
const ONLY_TRUSTED = [new GraphQLError('Only trusted documents are run; send a "documentId".')];
const MISSING = [new GraphQLError('Missing query')];

/** Finds the operation that a request asks for by its text, by the id of a trusted document, or by its hash. */
export class OperationFinder {
  readonly #documents: Documents;
  readonly #persisted: PersistedQueries | undefined;
  readonly #onlyTrusted: boolean;

  /** @param persisted what clients sent before; undefined where they may not. */
  constructor(documents: Documents, limits: GraphqlLimits, persisted: PersistedQueries | undefined) {
    this.#documents = documents;
    this.#onlyTrusted = limits.trustedDocuments?.only === true;
    this.#persisted = limits.persistedQueries && !this.#onlyTrusted ? persisted : undefined;
  }

  /** Counts what is asked for. */
  get meters(): OperationMeters {
    return this.#documents.meters;
  }

  /** Where the document of a request comes from; ask before it is found, because then it is known. */
  originOf({ query, documentId, persisted }: GraphqlRequest): DocumentOrigin {
    const given = documentId ?? persisted;
    const hash = given ?? sha256(query ?? '');
    if (given !== undefined && this.#documents.trusts(given)) return { hash, source: 'trusted' };
    if (query === undefined) return { hash, source: 'persisted' };
    return { hash, source: this.#documents.knows(query) ? 'cached' : 'new' };
  }

  /**
   * Synchronous for everything but a hash that another replica may know.
   *
   * @param exchange of a caller who was charged for it: what it sends may be kept, as its share.
   */
  find(request: GraphqlRequest, exchange: Exchange): Found | Promise<Found> {
    const { query, documentId, persisted } = request;
    const name = request.operationName ?? undefined;
    if (documentId !== undefined) return this.#documents.findTrusted(documentId, name) ?? UNKNOWN_ID;
    // A trusted document may also be asked for the way that clients ask for persisted queries.
    const trusted = persisted === undefined ? undefined : this.#documents.findTrusted(persisted, name);
    if (trusted !== undefined) return trusted;
    if (this.#onlyTrusted) return ONLY_TRUSTED;
    if (persisted === undefined) return query === undefined ? MISSING : this.#documents.find(query, name);
    if (this.#persisted === undefined) return NOT_SUPPORTED;
    return query === undefined
      ? this.#recall(this.#persisted, persisted, name)
      : this.#learn(query, persisted, name, exchange);
  }

  async #recall(store: PersistedQueries, hash: string, name: string | undefined): Promise<Found> {
    const text = await store.find(hash);
    // The store keeps texts, not decisions: what is found there is parsed and checked like any other.
    return text === undefined ? NOT_FOUND : this.#documents.find(text, name);
  }

  #learn(query: string, hash: string, name: string | undefined, exchange: Exchange): Found {
    if (sha256(query) !== hash) return WRONG_HASH;
    const found = this.#documents.find(query, name);
    if (!isFaults(found)) this.#persisted?.keep(hash, query, principalOrAddress(exchange));
    return found;
  }
}

function protocolError(message: string, code: string): readonly GraphQLError[] {
  return [new GraphQLError(message, { extensions: { code } })];
}

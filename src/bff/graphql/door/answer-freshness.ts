import { keyFieldOf } from '../../../exchange/key-places.ts';
import { CallLog } from '../../../calls/call-log.ts';
import { followCalls } from '../../../calls/reuse/call-memory.ts';
import { cacheControlOf, Freshness } from '../../composition/freshness.ts';
import { addToField, entityTagOf, matchesTag } from '../../response-fields.ts';
import type { OperationContext } from '../execution/operation-context.ts';
import type { CacheHint } from '../fields/operation-policies.ts';

const NO_STORE = 'no-store';

/** The part of a Fastify reply that the header fields need. */
interface ReplyFields {
  header(name: string, value: string): unknown;
}

/**
 * Finds out how long the answer of an operation may be kept: the shortest of what its fields declare with `@Cache`
 * and of what the calls allow that were made for it. A field at the root that declares nothing has to be a view, all
 * of whose calls say how fresh they are; else nobody knows, and the answer is not kept (fails closed).
 */
export class AnswerFreshness {
  readonly #context: OperationContext;
  readonly #log = new CallLog();
  readonly #views = new Set<string>();

  /** Watches an operation that is about to run. */
  constructor(context: OperationContext) {
    this.#context = context;
    context.viewRoots = this.#views;
    followCalls(context.exchange, this.#log);
  }

  /**
   * Sets the header fields of an answer that is as it should be.
   *
   * @returns `known` when the client has this answer already.
   */
  announce(reply: ReplyFields, hint: CacheHint, body: string): 'known' | 'new' {
    const { exchange } = this.#context;
    const cacheControl = this.#isKnown(hint) ? cacheControlOf(this.#freshness(hint), exchange) : NO_STORE;
    reply.header('cache-control', cacheControl);
    if (cacheControl === NO_STORE) return 'new';
    for (const field of ['accept', 'authorization', keyFieldOf(exchange), 'cookie'])
      addToField(exchange.responseHeaders, 'vary', field);
    const tag = entityTagOf(body);
    reply.header('etag', tag);
    return matchesTag(exchange.request.headers['if-none-match'], tag) ? 'known' : 'new';
  }

  /** Whether everything at the root says how fresh it is, by a hint or by its calls. */
  #isKnown({ silent }: CacheHint): boolean {
    if (silent.length === 0) return true;
    const { records, streams } = this.#log;
    // Nobody says how long the values of a stream are good (fails closed).
    if (streams.length > 0) return false;
    return (
      records.length > 0 && records.every(({ kept }) => kept) && silent.every((key) => this.#views.has(key))
    );
  }

  #freshness({ ttlMs, scope }: CacheHint): Freshness {
    const freshness = new Freshness();
    freshness.expect();
    freshness.hear({ freshForMs: ttlMs, scope, source: 'cache' });
    for (const { kept, part } of this.#log.records) {
      // What declares nothing is vouched for by the hint; what should have said something, and did not, is waited for.
      if (kept || part !== undefined) freshness.expect();
      if (part !== undefined) freshness.hear(part);
    }
    return freshness;
  }
}

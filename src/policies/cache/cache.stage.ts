import type { z } from 'zod';
import type { Exchange, Answer } from '../../exchange/exchange.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { answers, depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { AnswerStore, uriOf, type AnswerKey, type Entry } from './answer-store.ts';
import { parseCacheControl } from './cache-control.ts';
import { cachePolicy } from './cache.policy.ts';
import { callerKey, carriesCredentials, isBeyondKey, variantOf } from './caller-key.ts';
import { ageMsOf, currentAgeMs, freshnessOf, varyNames } from './freshness.ts';
import { Recording } from './recording.ts';

type CacheOptions = z.output<typeof cachePolicy.schema>;

/** Answers GET and HEAD from stored answers, and stores what may be stored. */
export class CacheStage implements Stage {
  readonly #routeId: string;
  readonly #options: CacheOptions;
  readonly #store: AnswerStore;

  constructor(routeId: string, options: CacheOptions, store: AnswerStore) {
    this.#routeId = routeId;
    this.#options = options;
    this.#store = store;
    store.isUsed = true;
  }

  enter(exchange: Exchange): Answer | undefined {
    if (!isForCaches(exchange)) return undefined;
    const wanted = parseCacheControl(exchange.request.headers['cache-control']);
    if (wanted.has('no-store')) return undefined;
    const key = this.#keyOf(exchange);
    const entry = wanted.has('no-cache') ? undefined : this.#find(key, exchange);
    if (entry !== undefined && entry.freshUntil > Date.now()) {
      return (exchange.cached = withAge(entry, 'HIT'));
    }
    if (exchange.method === 'GET') {
      const changes = this.#store.changesOf(key.uri);
      exchange.recording = new Recording(this.#options.maxBody, (answer) => {
        // What was asked for before something changed may show how it was before.
        if (this.#store.changesOf(key.uri) === changes) this.#keep(key, exchange, answer);
      });
    }
    return undefined;
  }

  explain(exchange: Exchange): StageVerdict {
    if (!isForCaches(exchange))
      return passes({ key: 'none' }, 'such a request is never answered from a cache');
    const wanted = parseCacheControl(exchange.request.headers['cache-control']);
    if (wanted.has('no-store')) return passes({ key: 'none' }, 'the client says no-store');
    const key = this.#keyOf(exchange);
    const facts = { key: key.caller };
    if (wanted.has('no-cache')) return passes(facts, 'not answered from the cache: the client says no-cache');
    const entry = this.#look(key, exchange);
    if (entry === undefined) return passes(facts, 'no answer is stored for this host, target and caller');
    const left = Math.ceil((entry.freshUntil - Date.now()) / 1000);
    if (left > 0) return answers(`a stored ${entry.answer.status}, fresh for another ${left}s`, facts);
    return depends('a stored answer is stale, and stands in only if the service fails', facts);
  }

  /** The stored answer that may stand in while the upstream fails (`staleIfError`), or undefined. */
  standIn(exchange: Exchange): Answer | undefined {
    const entry = exchange.recording === undefined ? undefined : this.#find(this.#keyOf(exchange), exchange);
    return entry && withAge(entry, 'STALE');
  }

  #keyOf(exchange: Exchange): AnswerKey {
    return { uri: uriOf(exchange), caller: callerKey(this.#routeId, this.#options.scope, exchange) };
  }

  #find(key: AnswerKey, exchange: Exchange): Entry | undefined {
    const entry = this.#store.get(key);
    return entry?.variant === (entry && variantOf(exchange, entry.vary)) ? entry : undefined;
  }

  /** The same without a trace: nothing is kept for longer, and nothing goes. */
  #look(key: AnswerKey, exchange: Exchange): Entry | undefined {
    const entry = this.#store.peek(key);
    return entry?.variant === (entry && variantOf(exchange, entry.vary)) ? entry : undefined;
  }

  #keep(key: AnswerKey, exchange: Exchange, answer: Answer): void {
    const { ttl, staleIfError, scope } = this.#options;
    const { principal } = exchange;
    const isShared = scope === 'public' || principal === undefined;
    const { storable, freshMs, mayBeStale } = freshnessOf(answer.status, answer.headers, {
      isShared,
      isOneUser: !isShared && principal.subject !== undefined,
      authenticated: carriesCredentials(exchange),
    });
    const vary = varyNames(answer.headers);
    // Fails closed: a variant that cannot be told apart is not kept.
    if (!storable || vary.some((name) => isBeyondKey(name, scope))) return;
    const now = Date.now();
    const freshUntil = now + (freshMs ?? Math.max(0, ttl - ageMsOf(answer.headers)));
    this.#store.set(key, {
      answer,
      vary,
      variant: variantOf(exchange, vary),
      storedAt: now - currentAgeMs(answer.headers),
      freshUntil,
      staleUntil: freshUntil + (mayBeStale ? staleIfError : 0),
    });
  }
}

/**
 * Whether a stored answer can be one to this request. With a body the answer may depend on it; a range and `If-Match`
 * are for the origin to judge (RFC 9111 section 4.3.2).
 */
function isForCaches({ method, request: { headers } }: Exchange): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')) return false;
  const { range } = headers;
  return (
    range === undefined && headers['if-match'] === undefined && headers['if-unmodified-since'] === undefined
  );
}

function withAge({ answer, storedAt }: Entry, verdict: 'HIT' | 'STALE'): Answer {
  const age = String(Math.floor((Date.now() - storedAt) / 1000));
  const headers = [];
  for (let i = 0; i < answer.headers.length; i += 2) {
    const name = answer.headers[i] as string;
    if (name.toLowerCase() !== 'age') headers.push(name, answer.headers[i + 1] as string);
  }
  headers.push('age', age, 'x-cache', verdict);
  return { ...answer, headers };
}

/** Compiles the `cache` policy; the routes of a snapshot share one bounded store. */
export class CacheStageFactory implements StageFactory {
  readonly policy = cachePolicy;
  readonly #store: AnswerStore;

  constructor(store = new AnswerStore()) {
    this.#store = store;
  }

  compile({ routeId, door, policies }: StageInput): Stage | undefined {
    if (policies.cache === undefined) return undefined;
    if (door === 'handler') throw new Error('`cache` works on proxied routes only; views cache their calls');
    return new CacheStage(storedAs(routeId, policies), policies.cache, this.#store);
  }
}

// Some answers are stored as they were edited. Those of a route whose edits a reload has changed are not its answers any
// more: what it masks now may not come from before.
function storedAs(routeId: string, { transform }: StageInput['policies']): string {
  return transform?.response === undefined ? routeId : `${routeId} ${JSON.stringify(transform.response)}`;
}

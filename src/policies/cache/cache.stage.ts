import type { z } from 'zod';
import type { Exchange, StoredAnswer } from '../../exchange/exchange.ts';
import type { Stage, StageFactory, StageInput } from '../stage.ts';
import { AnswerStore, type Entry } from './answer-store.ts';
import type { cachePolicy } from './cache.policy.ts';
import { fieldOf, freshnessOf, parseCacheControl } from './freshness.ts';
import { Recording } from './recording.ts';

type CacheOptions = z.output<typeof cachePolicy.schema>;

/** Answers GET and HEAD from stored answers, and stores what may be stored. */
export class CacheStage implements Stage {
  readonly name = 'cache';
  readonly #routeId: string;
  readonly #options: CacheOptions;
  readonly #store: AnswerStore;

  constructor(routeId: string, options: CacheOptions, store: AnswerStore) {
    this.#routeId = routeId;
    this.#options = options;
    this.#store = store;
  }

  enter(exchange: Exchange): void {
    const { method, request } = exchange;
    if ((method !== 'GET' && method !== 'HEAD') || request.headers.range !== undefined) return;
    const wanted = parseCacheControl(request.headers['cache-control']);
    if (wanted.has('no-store')) return;
    const key = this.#keyOf(exchange);
    const entry = wanted.has('no-cache') ? undefined : this.#find(key, exchange);
    if (entry !== undefined && entry.freshUntil > Date.now()) {
      exchange.cached = withAge(entry, 'HIT');
    } else if (method === 'GET') {
      exchange.recording = new Recording(this.#options.maxBody, (answer) =>
        this.#keep(key, exchange, answer),
      );
    }
  }

  /** The stored answer that may stand in while the upstream fails (`staleIfError`), or undefined. */
  standIn(exchange: Exchange): StoredAnswer | undefined {
    const entry = exchange.recording === undefined ? undefined : this.#find(this.#keyOf(exchange), exchange);
    return entry && withAge(entry, 'STALE');
  }

  // Partitioned by principal, fail closed: only `scope: public` shares entries, and only what the answer allows.
  #keyOf(exchange: Exchange): string {
    const partition = this.#options.scope === 'public' ? '' : (exchange.principal?.id ?? '');
    const scheme = this.#options.scope === 'public' ? '' : (exchange.principal?.scheme ?? '');
    return JSON.stringify([this.#routeId, scheme, partition, exchange.host, exchange.path, exchange.query]);
  }

  #find(key: string, exchange: Exchange): Entry | undefined {
    const entry = this.#store.get(key);
    const { headers } = exchange.request;
    return entry?.vary.every(([name, value]) => String(headers[name] ?? '') === value) ? entry : undefined;
  }

  #keep(key: string, exchange: Exchange, answer: StoredAnswer): void {
    const { ttl, staleIfError, scope } = this.#options;
    const shared = { entry: scope === 'public', authenticated: exchange.principal !== undefined };
    const { storable, freshMs } = freshnessOf(answer.status, answer.headers, shared);
    if (!storable) return;
    const now = Date.now();
    const freshUntil = now + (freshMs ?? ttl);
    const vary = (fieldOf(answer.headers, 'vary') ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== '')
      .map((name) => [name, String(exchange.request.headers[name] ?? '')] as const);
    this.#store.set(key, { answer, vary, storedAt: now, freshUntil, staleUntil: freshUntil + staleIfError });
  }
}

function withAge(entry: Entry, verdict: 'HIT' | 'STALE'): StoredAnswer {
  const age = String(Math.floor((Date.now() - entry.storedAt) / 1000));
  return { ...entry.answer, headers: [...entry.answer.headers, 'age', age, 'x-cache', verdict] };
}

/** Compiles the `cache` policy; the routes of a snapshot share one bounded store. */
export class CacheStageFactory implements StageFactory {
  readonly name = 'cache';
  readonly #store: AnswerStore;

  constructor(store = new AnswerStore()) {
    this.#store = store;
  }

  compile({ routeId, door, policies }: StageInput): Stage | undefined {
    if (policies.cache === undefined) return undefined;
    if (door === 'handler') throw new Error('`cache` works on proxied routes only; views cache their calls');
    return new CacheStage(routeId, policies.cache, this.#store);
  }
}

import type { z } from 'zod';
import type { Exchange, StoredAnswer } from '../../exchange/exchange.ts';
import { isIdentityHeader } from '../../exchange/identity-headers.ts';
import type { Stage, StageFactory, StageInput } from '../stage.ts';
import { AnswerStore, type Entry } from './answer-store.ts';
import type { cachePolicy } from './cache.policy.ts';
import { ageMsOf, freshnessOf, parseCacheControl, varyNames } from './freshness.ts';
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
    const principal = this.#options.scope === 'public' ? undefined : exchange.principal;
    const caller = [principal?.scheme ?? '', principal?.id ?? '', carriesCredentials(exchange)];
    return JSON.stringify([this.#routeId, ...caller, exchange.host, exchange.path, exchange.query]);
  }

  #find(key: string, exchange: Exchange): Entry | undefined {
    const entry = this.#store.get(key);
    const { headers } = exchange.request;
    return entry?.vary.every(([name, value]) => String(headers[name] ?? '') === value) ? entry : undefined;
  }

  #keep(key: string, exchange: Exchange, answer: StoredAnswer): void {
    const { ttl, staleIfError, scope } = this.#options;
    // Callers without a principal share one partition, whatever the scope.
    const shared = {
      entry: scope === 'public' || exchange.principal === undefined,
      authenticated: exchange.principal !== undefined || carriesCredentials(exchange),
    };
    const { storable, freshMs, mayBeStale } = freshnessOf(answer.status, answer.headers, shared);
    const names = varyNames(answer.headers);
    // Who the upstream took the caller for is in no field of the request: such a variant cannot be told apart.
    if (!storable || (shared.entry && names.some(isIdentityHeader))) return;
    const now = Date.now();
    const freshUntil = now + (freshMs ?? ttl);
    this.#store.set(key, {
      answer,
      vary: names.map((name) => [name, String(exchange.request.headers[name] ?? '')] as const),
      storedAt: now - ageMsOf(answer.headers),
      freshUntil,
      staleUntil: freshUntil + (mayBeStale ? staleIfError : 0),
    });
  }
}

// On a route that anybody may call, these are meant for the upstream, which may answer each caller differently.
// On others the principal tells callers apart, and credentials would only split its partition.
function carriesCredentials({ principal, request: { headers } }: Exchange): boolean {
  return principal === undefined && (headers.authorization !== undefined || headers.cookie !== undefined);
}

function withAge({ answer, storedAt }: Entry, verdict: 'HIT' | 'STALE'): StoredAnswer {
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

import type { z } from 'zod';
import type { Exchange, Answer } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { answers, depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { uriOf, type AnswerKey } from './answer-store.ts';
import { Asking, type Keeping } from './asking.ts';
import type { CacheMetrics } from './cache-metrics.ts';
import { forwardedStatus, hitStatus, type Forwarded } from './cache-status.ts';
import type { cachePolicy } from './cache.policy.ts';
import { callerKey, variantOf } from './caller-key.ts';
import type { Background } from './background.ts';
import type { Entry } from './entry.ts';
import type { Flights, Landing } from './flights.ts';
import { Recording } from './recording.ts';
import { mayStandIn, useOf, wantedOf, type Wanted } from './request-directives.ts';
import { storedAnswer } from './stored-answer.ts';

/** The options of a route. */
export type CacheOptions = z.output<typeof cachePolicy.schema>;

/** What the stages of all routes share. */
export interface CacheTools {
  readonly flights: Flights;
  readonly background: Background;
  readonly metrics: CacheMetrics | undefined;
}

/** What a request asks the cache for. */
interface Ask {
  readonly key: AnswerKey;
  readonly wanted: Wanted;
  /** Until when it may wait for others, and for whom it has waited. */
  readonly waitUntil: number;
  readonly waited: readonly string[];
}

/** For how many others a request waits at most, one after the other. */
const MOST_WAITS = 3;

/** Answers GET and HEAD from stored answers, stores what may be stored, and has one request ask for all that ask the same. */
export class CacheStage implements Stage {
  readonly #routeId: string;
  /** What answers are told apart by besides. */
  readonly #storedAs: string;
  readonly #options: CacheOptions;
  readonly #keeping: Keeping;
  readonly #tools: CacheTools;
  readonly #ignored: ReadonlySet<string>;

  constructor(
    { routeId, storedAs }: { readonly routeId: string; readonly storedAs: string },
    options: CacheOptions,
    keeping: Keeping,
    tools: CacheTools,
  ) {
    this.#routeId = routeId;
    this.#storedAs = storedAs;
    this.#options = options;
    this.#keeping = keeping;
    this.#tools = tools;
    this.#ignored = new Set(options.ignoreHeaders.map((name) => name.toLowerCase()));
    keeping.store.isUsed = true;
  }

  enter(exchange: Exchange): Answer | undefined | Promise<Answer | undefined> {
    const isRead = exchange.method === 'GET' || exchange.method === 'HEAD';
    if (!isRead) return this.#pass(exchange, 'method');
    const wanted = wantedOf(exchange.request.headers);
    const passesBy = wanted.noStore ? 'request' : isForCaches(exchange) ? undefined : 'bypass';
    if (passesBy === undefined) return this.#serve(exchange, this.#askOf(exchange, wanted));
    if (wanted.onlyIfCached) throw new Problem('not-cached');
    return this.#pass(exchange, passesBy);
  }

  explain(exchange: Exchange): StageVerdict {
    const isRead = exchange.method === 'GET' || exchange.method === 'HEAD';
    if (!isRead || !isForCaches(exchange))
      return passes({ key: 'none' }, 'such a request is never answered from a cache');
    const wanted = wantedOf(exchange.request.headers);
    if (wanted.noStore) return passes({ key: 'none' }, 'the client says no-store');
    const key = this.#keyOf(exchange);
    const facts = { key: key.caller };
    if (wanted.noCache) return passes(facts, 'not answered from the cache: the client says no-cache');
    const entry = this.#keeping.store.peek(key, (names) => variantOf(exchange, names));
    if (entry === undefined) {
      if (wanted.onlyIfCached) throw new Problem('not-cached');
      return passes(facts, 'no answer is stored for this host, target and caller');
    }
    return this.#explained(entry, wanted, facts);
  }

  #explained(entry: Entry, wanted: Wanted, facts: Readonly<Record<string, string>>): StageVerdict {
    const now = Date.now();
    const left = Math.ceil((entry.freshUntil - now) / 1000);
    const use = useOf(entry, wanted, now);
    const stored = `a stored ${entry.answer.status}`;
    if (use === 'fresh') return answers(`${stored}, fresh for another ${left}s`, facts);
    if (use === 'stale') return answers(`${stored}, which is stale and which the client takes`, facts);
    if (use === 'while-revalidate')
      return answers(`${stored}, which is stale, while the service is asked in the background`, facts);
    if (entry.validators.length > 0)
      return depends('the service is asked whether a stored answer holds', facts);
    return depends('a stored answer is stale, and stands in only if the service fails', facts);
  }

  /** The stored answer that may stand in while the upstream fails (`staleIfError`), or undefined. */
  standIn(exchange: Exchange): Answer | undefined {
    if (exchange.recording === undefined) return undefined;
    return (exchange.cached = this.#standIn(
      exchange,
      this.#keyOf(exchange),
      wantedOf(exchange.request.headers),
    ));
  }

  #standIn(exchange: Exchange, key: AnswerKey, wanted: Wanted): Answer | undefined {
    const entry = this.#find(key, exchange);
    if (entry === undefined || !mayStandIn(entry, wanted, Date.now())) return undefined;
    return this.#answer(exchange, entry, 'stale-if-error');
  }

  #keyOf(exchange: Exchange): AnswerKey {
    const { scope } = this.#options;
    return { uri: uriOf(exchange), caller: callerKey(this.#storedAs, scope, exchange, this.#ignored) };
  }

  #askOf(exchange: Exchange, wanted: Wanted): Ask {
    const { collapse } = this.#options;
    const waitUntil = collapse === 'off' ? 0 : Date.now() + collapse;
    return { key: this.#keyOf(exchange), wanted, waitUntil, waited: NOBODY };
  }

  #find(key: AnswerKey, exchange: Exchange): Entry | undefined {
    return this.#keeping.store.get(key, (names) => variantOf(exchange, names));
  }

  #serve(exchange: Exchange, ask: Ask): Answer | undefined | Promise<Answer | undefined> {
    const entry = this.#find(ask.key, exchange);
    const use = entry === undefined ? undefined : useOf(entry, ask.wanted, Date.now());
    if (entry !== undefined && use !== 'validate') {
      if (use === 'while-revalidate') this.#revalidate(exchange, ask.key, entry);
      const isCollapsed = ask.waited.length > 0;
      return (exchange.cached = this.#answer(
        exchange,
        entry,
        use === 'fresh' ? undefined : use,
        isCollapsed,
      ));
    }
    if (ask.wanted.onlyIfCached) throw new Problem('not-cached');
    const why = this.#whyAsk(ask, entry);
    const isWhole = exchange.method === 'GET' && exchange.request.headers.range === undefined;
    return isWhole ? this.#ask(exchange, ask, entry, why) : this.#pass(exchange, why);
  }

  #whyAsk({ key, wanted }: Ask, entry: Entry | undefined): Forwarded {
    if (entry === undefined)
      return this.#keeping.store.variesBy(key) === undefined ? 'uri-miss' : 'vary-miss';
    return entry.freshUntil > Date.now() && (wanted.noCache || !entry.mustValidate) ? 'request' : 'stale';
  }

  #ask(
    exchange: Exchange,
    ask: Ask,
    entry: Entry | undefined,
    why: Forwarded,
  ): undefined | Promise<Answer | undefined> {
    const { flights } = this.#tools;
    const { key, waited } = ask;
    const flight = isSharable(exchange, ask) ? this.#flightOf(exchange, ask, entry) : undefined;
    if (flight !== undefined && waited.length < MOST_WAITS && Date.now() < ask.waitUntil) {
      const waiting = flights.wait(flight, exchange);
      if (waiting !== undefined)
        return waiting.then((landing) =>
          this.#landed(exchange, { ...ask, waited: [...waited, flight] }, landing),
        );
    }
    const longest = this.#options.collapse;
    const land = flight === undefined || longest === 'off' ? undefined : flights.lead(flight, longest);
    this.#record(exchange, { key, entry, why, land });
    return undefined;
  }

  #record(exchange: Exchange, asked: ConstructorParameters<typeof Asking>[2]): void {
    this.#count(asked.entry === undefined ? 'miss' : 'validated');
    if (asked.entry !== undefined && asked.entry.validators.length > 0)
      exchange.validators = asked.entry.validators;
    exchange.recording = new Recording(this.#options.maxBody, new Asking(this.#keeping, exchange, asked));
    // Whatever else ends the exchange: nobody waits for what never comes.
    if (asked.land !== undefined) exchange.onClosed(() => asked.land?.('left'));
  }

  // By what it would be found under, as far as that is known: variants do not wait for each other.
  #flightOf(exchange: Exchange, { key }: Ask, entry: Entry | undefined): string {
    const vary = entry?.vary ?? this.#keeping.store.variesBy(key) ?? NOBODY;
    return `${key.uri}\n${key.caller}\n${variantOf(exchange, vary)}`;
  }

  #landed(exchange: Exchange, ask: Ask, landing: Landing): Answer | undefined | Promise<Answer | undefined> {
    if (exchange.cancelled !== undefined) return undefined;
    if (landing === 'stored' || landing === 'left') return this.#serve(exchange, ask);
    const standIn = landing === 'failed' ? this.#standIn(exchange, ask.key, ask.wanted) : undefined;
    if (standIn !== undefined) return (exchange.cached = standIn);
    // All at once, each by itself: one after the other would take for ever.
    return this.#serve(exchange, { ...ask, waitUntil: 0 });
  }

  #revalidate(exchange: Exchange, key: AnswerKey, entry: Entry): void {
    const name = `${key.uri}\n${key.caller}\n${entry.variant}`;
    this.#tools.background.ask(name, exchange, (shadow) => {
      if (entry.validators.length > 0) shadow.validators = entry.validators;
      const asked = { key, entry, why: 'stale', land: undefined, isInBackground: true } as const;
      return new Recording(this.#options.maxBody, new Asking(this.#keeping, shadow, asked));
    });
  }

  #answer(exchange: Exchange, entry: Entry, detail?: string, isCollapsed = false): Answer {
    const status = isCollapsed
      ? forwardedStatus('uri-miss', { isCollapsed })
      : hitStatus(entry.freshUntil - Date.now(), detail);
    this.#count(isCollapsed ? 'collapsed' : detail === undefined ? 'hit' : 'stale');
    return storedAnswer(entry, exchange, { verdict: detail === undefined ? 'HIT' : 'STALE', status });
  }

  #pass(exchange: Exchange, why: Forwarded): undefined {
    this.#count('bypass');
    exchange.responseHeaders.push('cache-status', forwardedStatus(why));
    return undefined;
  }

  #count(result: Parameters<CacheMetrics['count']>[1]): void {
    this.#tools.metrics?.count(this.#routeId, result);
  }
}

const NOBODY: readonly string[] = Object.freeze([]);

/**
 * Whether a stored answer can be one to this request. With a body the answer may depend on it; `If-Match` is for the
 * origin to judge (RFC 9111 section 4.3.2).
 */
function isForCaches({ request: { headers } }: Exchange): boolean {
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')) return false;
  return headers['if-match'] === undefined && headers['if-unmodified-since'] === undefined;
}

/** Whether an answer to it may be what others wait for: who wants a new one, or none at all, asks by itself. */
function isSharable({ request: { headers } }: Exchange, { wanted, waitUntil }: Ask): boolean {
  if (waitUntil === 0 || wanted.noCache || wanted.maxAgeMs !== undefined) return false;
  return headers['if-none-match'] === undefined && headers['if-modified-since'] === undefined;
}

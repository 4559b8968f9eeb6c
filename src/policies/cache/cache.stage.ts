import type { z } from 'zod';
import type { Exchange, Answer } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { answers, depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { uriOf, type AnswerKey } from './answer-store.ts';
import { Asking, type AskingFor, type Keeping } from './asking.ts';
import type { CacheMetrics, CacheResult } from './cache-metrics.ts';
import { forwardedStatus, hitStatus, type Forwarded } from './cache-status.ts';
import type { cachePolicy } from './cache.policy.ts';
import { callerKey, variantOf } from './caller-key.ts';
import type { Background } from './background.ts';
import type { Entry } from './entry.ts';
import type { Flights, Landing } from './flights.ts';
import { Recording } from './recording.ts';
import { isForCaches, isSharable, mayStandIn, useOf, wantedOf, type Wanted } from './request-directives.ts';
import type { SharedAnswers, SharedFound, SharedMark } from './shared-answers.ts';
import { storedAnswer } from './stored-answer.ts';
import { validationOf } from './validation.ts';

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

/** Where an answer was found, or who has asked for it. */
type From = Extract<CacheResult, 'hit' | 'shared' | 'collapsed'>;

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
    if (keeping.shared !== undefined) keeping.shared.isUsed = true;
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
      if (wanted.onlyIfCached && this.#keeping.shared === undefined) throw new Problem('not-cached');
      return this.#keeping.shared === undefined
        ? passes(facts, 'no answer is stored for this host, target and caller')
        : depends('no answer is stored here for this host, target and caller; Redis may have one', facts);
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
    if (exchange.recording?.mayBeCovered !== true) return undefined;
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
    const given = this.#given(exchange, ask, entry, ask.waited.length > 0 ? 'collapsed' : 'hit');
    if (given !== undefined) return given;
    const isWhole = exchange.method === 'GET' && exchange.request.headers.range === undefined;
    if (isWhole && !ask.wanted.onlyIfCached) return this.#ask(exchange, ask, entry);
    const { shared } = this.#keeping;
    if (shared === undefined) return this.#missed(exchange, ask, entry);
    return this.#findShared(shared, exchange, ask.key).then(({ entry: found, mark }) => {
      if (exchange.cancelled !== undefined) return undefined;
      return this.#given(exchange, ask, found, 'shared') ?? this.#missed(exchange, ask, found ?? entry, mark);
    });
  }

  #findShared(shared: SharedAnswers, exchange: Exchange, key: AnswerKey): Promise<SharedFound> {
    return shared.find(key, (names) => variantOf(exchange, names));
  }

  /** What is stored, where it may be given. */
  #given(exchange: Exchange, ask: Ask, entry: Entry | undefined, from: From): Answer | undefined {
    const use = entry === undefined ? 'validate' : useOf(entry, ask.wanted, Date.now());
    if (entry === undefined || use === 'validate') return undefined;
    if (use === 'while-revalidate') this.#revalidate(exchange, ask.key, entry);
    return (exchange.cached = this.#answer(exchange, entry, use === 'fresh' ? undefined : use, from));
  }

  #missed(exchange: Exchange, ask: Ask, entry: Entry | undefined, mark?: SharedMark): undefined {
    if (ask.wanted.onlyIfCached) throw new Problem('not-cached');
    const why = this.#whyAsk(ask, entry);
    if (exchange.method !== 'HEAD' || entry === undefined) return this.#pass(exchange, why);
    // What it is answered says something of what is stored.
    return this.#record(exchange, { key: ask.key, entry, why, land: undefined, mark });
  }

  #whyAsk({ key, wanted }: Ask, entry: Entry | undefined): Forwarded {
    if (entry === undefined) return this.#keeping.store.holds(key) ? 'vary-miss' : 'uri-miss';
    return entry.freshUntil > Date.now() && (wanted.noCache || !entry.mustValidate) ? 'request' : 'stale';
  }

  #ask(exchange: Exchange, ask: Ask, entry: Entry | undefined): undefined | Promise<Answer | undefined> {
    const { flights } = this.#tools;
    const { key, waited } = ask;
    const flight = isSharable(exchange, ask.wanted, ask.waitUntil > 0)
      ? this.#flightOf(exchange, ask, entry)
      : undefined;
    if (flight !== undefined && waited.length < MOST_WAITS && Date.now() < ask.waitUntil) {
      const waiting = flights.wait(flight, exchange);
      const after = { ...ask, waited: [...waited, flight] };
      if (waiting !== undefined) return waiting.then((landing) => this.#landed(exchange, after, landing));
    }
    const longest = this.#options.collapse;
    const land = flight === undefined || longest === 'off' ? undefined : flights.lead(flight, longest);
    const outlive =
      flight === undefined || land === undefined
        ? undefined
        : (end: () => void) => flights.outlive(flight, end);
    const { shared } = this.#keeping;
    if (shared !== undefined) return this.#askShared(shared, exchange, ask, { entry, land, outlive });
    return this.#record(exchange, { key, entry, why: this.#whyAsk(ask, entry), land, outlive });
  }

  // One looks for all that ask the same; before the upstream is asked, so that what ends answers meanwhile is seen.
  async #askShared(
    shared: SharedAnswers,
    exchange: Exchange,
    ask: Ask,
    { entry, land, outlive }: Pick<AskingFor, 'entry' | 'land' | 'outlive'>,
  ): Promise<Answer | undefined> {
    if (land !== undefined) exchange.onClosed(() => land('left'));
    const { entry: found, mark } = await this.#findShared(shared, exchange, ask.key);
    if (exchange.cancelled !== undefined) return undefined;
    const given = this.#given(exchange, ask, found, 'shared');
    if (given === undefined) {
      const known = found ?? entry;
      const asked = { key: ask.key, entry: known, why: this.#whyAsk(ask, known), land, outlive, mark };
      this.#record(exchange, asked);
    } else land?.('stored');
    return given;
  }

  #record(exchange: Exchange, asked: AskingFor): undefined {
    const { key, entry } = asked;
    this.#count(entry === undefined ? 'miss' : 'validated');
    const validation = validationOf(exchange, entry, this.#keeping.store.others(key, entry));
    exchange.validators = validation?.fields;
    const asking = new Asking(this.#keeping, exchange, { ...asked, validation });
    exchange.recording = new Recording(this.#options.maxBody, asking);
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
    const { shared } = this.#keeping;
    this.#tools.background.ask(name, exchange, (shadow) => {
      if (shared === undefined) return this.#again(shadow, { key, entry });
      return this.#findShared(shared, shadow, key).then(({ entry: found = entry, mark }) =>
        // Another replica was quicker.
        found.freshUntil > Date.now() ? undefined : this.#again(shadow, { key, entry: found, mark }),
      );
    });
  }

  #again(
    shadow: Exchange,
    asked: { key: AnswerKey; entry: Entry; mark?: SharedMark | undefined },
  ): Recording {
    const validation = validationOf(shadow, asked.entry, NO_OTHERS);
    shadow.validators = validation?.fields;
    const asking = { ...asked, validation, why: 'stale', land: undefined, isInBackground: true } as const;
    return new Recording(this.#options.maxBody, new Asking(this.#keeping, shadow, asking));
  }

  #answer(exchange: Exchange, entry: Entry, detail?: string, from: From = 'hit'): Answer {
    const isCollapsed = from === 'collapsed';
    const status = isCollapsed
      ? forwardedStatus('uri-miss', { isCollapsed })
      : hitStatus(entry.freshUntil - Date.now(), detail);
    this.#count(isCollapsed || detail === undefined ? from : 'stale');
    if (this.#keeping.isOfHandler === true) exchange.isReplayed = true;
    const verdict = detail === undefined ? 'HIT' : 'STALE';
    return storedAnswer(entry, exchange, { verdict, status, codings: this.#keeping.coding?.offered });
  }

  #pass(exchange: Exchange, why: Forwarded): undefined {
    this.#count('bypass');
    exchange.responseHeaders.push('cache-status', forwardedStatus(why));
    return undefined;
  }

  #count(result: CacheResult): void {
    this.#tools.metrics?.count(this.#routeId, result);
  }
}

const NOBODY: readonly string[] = Object.freeze([]);
const NO_OTHERS: readonly Entry[] = Object.freeze([]);

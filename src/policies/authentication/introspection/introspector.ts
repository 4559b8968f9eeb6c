import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { hash } from 'node:crypto';
import type { Principal } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import { errorName } from '../../../telemetry/error-facts.ts';
import { Breaker, REFUSED } from '../../circuit-breaker/breaker.ts';
import type { Upkeep } from '../scheme.ts';
import type { TokenSource } from '../tokens/bearer.verifier.ts';
import { TokenCache } from '../tokens/token-cache.ts';
import type { Claims } from '../tokens/token-principal.ts';
import { refused, unavailable, type Clock } from '../verifier.ts';
import { readAnswer, type AnswerRules } from './introspection-answer.ts';
import { QuestionRefused } from './introspection-endpoint.ts';
import type { IntrospectionOptions } from './introspection.schema.ts';

/** What answers questions about tokens. */
export interface Introspecting {
  /** Returns the members of the answer. Rejects when there is none that may be believed. */
  ask(token: string): Promise<Claims>;
  start(): void;
  close(): void;
}

/** How it is asked, and what is remembered. */
export interface IntrospectorDeps {
  readonly endpoint: Introspecting;
  readonly rules: AnswerRules;
  readonly cache: IntrospectionOptions['cache'];
  readonly circuitBreaker: IntrospectionOptions['circuitBreaker'];
  readonly clock: Clock;
}

interface Refusal {
  readonly problem: Problem;
  readonly until: number;
}

/** How many tokens may be asked about at once: more are answered with 503 rather than kept waiting. */
const MAX_FLIGHTS = 1000;
const RETRY_AFTER_MS = 1000;
/** No token of anybody: what the server says of it says how the server is. */
const CONTROL = 'gatehouse-control-question';
/** The server was not reached at all, whatever the token. */
const UNREACHED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** What a token may be made of (RFC 6750 section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
/** An answer has no key that could be withdrawn. */
const STANDS = Object.freeze({ withdrawn: false });

/**
 * Asks the authorization server about tokens, each once at a time, and remembers the answers: those of active tokens apart from
 * the others, so that made-up tokens push none of them out. While it fails, what is remembered goes on until its time is over;
 * about everything else nobody knows, which lets nobody in (fails closed).
 */
export class Introspector implements TokenSource, Upkeep {
  readonly scheme = 'introspection';
  readonly configured = true;
  readonly #deps: IntrospectorDeps;
  readonly #active: TokenCache;
  readonly #refused: LRUCache<string, Refusal>;
  readonly #flights = new Map<string, Promise<Principal>>();
  readonly #breaker: Breaker;
  readonly #log = new Logger('Introspection');
  #isFailing = false;
  #control: Promise<boolean> | undefined = undefined;

  constructor(deps: IntrospectorDeps) {
    this.#deps = deps;
    const { cache, circuitBreaker, clock } = deps;
    this.#active = new TokenCache(cache, clock);
    this.#refused = new LRUCache({ max: cache.negativeMax });
    this.#breaker = new Breaker(circuitBreaker);
  }

  /** How many tokens are remembered. */
  get size(): { readonly active: number; readonly refused: number } {
    return { active: this.#active.size, refused: this.#refused.size };
  }

  start(): void {
    this.#deps.endpoint.start();
  }

  stop(): void {
    this.#deps.endpoint.close();
  }

  known(token: string): Principal | undefined {
    return this.#active.get(token);
  }

  check(token: string): Promise<Principal> {
    if (!TOKEN.test(token)) throw refused('The token is malformed.');
    const digest = hash('sha256', token, 'base64');
    const known = this.#refused.get(digest);
    if (known !== undefined && this.#deps.clock() < known.until) throw known.problem;
    const flight = this.#flights.get(digest) ?? this.#begin(token, digest);
    return flight;
  }

  #begin(token: string, digest: string): Promise<Principal> {
    if (this.#flights.size >= MAX_FLIGHTS) throw unavailable(RETRY_AFTER_MS);
    const admission = this.#breaker.admit();
    if (admission === REFUSED) throw unavailable(Math.max(this.#breaker.openForMs, RETRY_AFTER_MS));
    const flight = this.#fly(token, digest, admission).finally(() => this.#flights.delete(digest));
    this.#flights.set(digest, flight);
    return flight;
  }

  // A failure is told to those who wait for it, and not remembered.
  async #fly(token: string, digest: string, admission: number): Promise<Principal> {
    let answer: Claims;
    try {
      answer = await this.#deps.endpoint.ask(token);
    } catch (error) {
      void this.#blame(error, admission);
      this.#warn(error);
      throw unavailable(RETRY_AFTER_MS, error);
    }
    this.#breaker.settle(admission, 'success');
    this.#recover();
    return this.#judge(answer, token, digest);
  }

  /**
   * Finds out whether the server has failed or the token: whoever sends tokens that make the server stumble could keep everybody
   * else from asking otherwise. Nobody waits for it.
   */
  async #blame(error: unknown, admission: number): Promise<void> {
    const isOfToken =
      error instanceof QuestionRefused ||
      (!UNREACHED.has((error as NodeJS.ErrnoException).code) && (await this.#isServerWell()));
    this.#breaker.settle(admission, isOfToken ? 'success' : 'failure');
  }

  /** Asks about a token that is none; one question at a time, for all who want to know. */
  #isServerWell(): Promise<boolean> {
    this.#control ??= this.#deps.endpoint
      .ask(CONTROL)
      .then(
        () => true,
        (error: unknown) => error instanceof QuestionRefused,
      )
      .finally(() => (this.#control = undefined));
    return this.#control;
  }

  #judge(answer: Claims, token: string, digest: string): Principal {
    const { rules, cache, clock } = this.#deps;
    try {
      const { principal, expiresAt } = readAnswer(answer, rules, clock());
      this.#active.set(token, principal, STANDS, expiresAt);
      return principal;
    } catch (error) {
      if (error instanceof Problem && cache.negativeTtl > 0)
        this.#refused.set(digest, { problem: error, until: clock() + cache.negativeTtl });
      throw error;
    }
  }

  #warn(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#log.warn(
      `Tokens cannot be introspected (${errorName(error)}); known ones go on until their time is over, others are answered with 503.`,
    );
  }

  #recover(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#log.log('Tokens can be introspected again.');
  }
}

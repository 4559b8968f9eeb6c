import { LRUCache } from 'lru-cache';
import { hash } from 'node:crypto';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Breaker, REFUSED } from '../../policies/circuit-breaker/breaker.ts';
import { circuitBreakerPolicy } from '../../policies/circuit-breaker/circuit-breaker.policy.ts';
import { Problem } from '../../problems/problem.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import type { TokenExchangeOutcome } from '../../telemetry/token-exchange-metrics.ts';
import { authenticate, type ClientCredential } from './client-credentials.ts';
import type { ExchangeOptions } from './exchange.schema.ts';
import { TokenEndpoint, type EndpointAnswer } from './token-endpoint.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
/** Who has proved by a token who he is; what another credential came with was looked at by nobody. */
const BY_TOKEN: ReadonlySet<Principal['scheme']> = new Set(['jwt', 'introspection']);
/** A token in a header field (RFC 6750 section 2.1), of a length that heads have room for. */
const TOKEN = /^[\w.~+/-]{1,32768}=*$/;
const ERROR_CODE = /^[a-z_]{1,40}$/;
const MOST_TOKENS = 10_000;
const MOST_REFUSALS = 1000;
const MOST_UNDER_WAY = 256;
/** How long a refusal is remembered: who keeps asking with a bad token does not ask the issuer. */
const REFUSED_MS = 5000;
/** A token is not used for the last part of its life: the service looks at it later than we do. */
const MARGIN_MS = 5000;
/** No token of anybody: what the issuer says of it says how the issuer is. */
const CONTROL = 'gatehouse-control-question';
/** The issuer was not reached at all, whatever the token. */
const UNREACHED: ReadonlySet<unknown> = new Set(
  'ECONNREFUSED EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN'.split(' '),
);
/** Where the issuer does not say how long it lives. */
const UNSAID_MS = 60_000;

interface ExchangedToken {
  readonly text: string;
  /** In ms since the epoch. */
  readonly until: number;
}

/** What tokens of one upstream are exchanged with. */
export interface ExchangeParts {
  readonly credential: ClientCredential;
  /** The only issuer whose tokens go there. */
  readonly issuer: string;
  /** The token that a request has come with. */
  readonly tokenOf: (exchange: Exchange) => string | undefined;
  /** Hears of each token what became of it, and how many seconds the issuer took where it was asked. */
  readonly ended: (outcome: TokenExchangeOutcome, seconds?: number) => void;
}

/**
 * Exchanges the tokens of callers at their issuer (RFC 8693). What comes of it is kept for as long as both tokens live, is
 * asked for once however many want it, and never stands in a log.
 */
export class TokenExchange {
  readonly #options: ExchangeOptions;
  readonly #parts: ExchangeParts;
  readonly #endpoint: TokenEndpoint;
  readonly #breaker = new Breaker(circuitBreakerPolicy.schema.parse({}));
  /** By digests, so that a heap dump tells no token of a client. */
  readonly #tokens = new LRUCache<string, ExchangedToken>({ max: MOST_TOKENS });
  readonly #refused = new LRUCache<string, Problem>({ max: MOST_REFUSALS, ttl: REFUSED_MS });
  readonly #underWay = new Map<string, Promise<ExchangedToken>>();
  readonly #byCaller = new WeakMap<Principal, ExchangedToken>();
  #control: Promise<boolean> | undefined = undefined;

  constructor(options: ExchangeOptions, parts: ExchangeParts) {
    this.#options = options;
    this.#parts = parts;
    this.#endpoint = new TokenEndpoint(options.url, options.timeout);
  }

  /** The token that stands for a caller; undefined for one that has none, such as a client with an API key. */
  tokenFor(principal: Principal | undefined): string | undefined {
    return principal && this.#byCaller.get(principal)?.text;
  }

  /**
   * Sees to it that there is a token for the caller of an exchange.
   *
   * @returns undefined if there is one, or there will be none; else a promise that rejects with a problem.
   */
  awaits(exchange: Exchange): Promise<void> | undefined {
    const { principal } = exchange;
    // A token of one issuer is never shown to another one.
    if (principal === undefined || !BY_TOKEN.has(principal.scheme)) return undefined;
    if (principal.issuer !== this.#parts.issuer) return undefined;
    const held = this.#byCaller.get(principal);
    if (held !== undefined && Date.now() < held.until) return undefined;
    const subject = this.#parts.tokenOf(exchange);
    return subject === undefined ? undefined : this.#obtain(subject, principal);
  }

  /** Ends its connections. */
  close(): void {
    this.#breaker.shutdown();
    this.#endpoint.close();
  }

  async #obtain(subject: string, principal: Principal): Promise<void> {
    const digest = hash('sha256', subject, 'base64');
    const kept = this.#tokens.get(digest);
    const isFresh = kept !== undefined && Date.now() < kept.until;
    this.#byCaller.set(principal, isFresh ? kept : await this.#once(digest, subject, principal));
  }

  #once(digest: string, subject: string, principal: Principal): Promise<ExchangedToken> {
    const known = this.#refused.get(digest);
    if (known !== undefined) return this.#spared(known);
    let asking = this.#underWay.get(digest);
    if (asking === undefined) {
      if (this.#underWay.size >= MOST_UNDER_WAY) return this.#spared(unavailable());
      asking = this.#ask(digest, subject, principal).finally(() => this.#underWay.delete(digest));
      this.#underWay.set(digest, asking);
    }
    return asking;
  }

  async #ask(digest: string, subject: string, principal: Principal): Promise<ExchangedToken> {
    const admission = this.#breaker.admit();
    // Fails closed: without the token of the issuer the service gets none at all.
    if (admission === REFUSED) return this.#spared(unavailable());
    const startedAt = performance.now();
    const ended = (outcome: TokenExchangeOutcome): void =>
      this.#parts.ended(outcome, (performance.now() - startedAt) / 1000);
    let answer: EndpointAnswer;
    try {
      answer = await this.#endpoint.post(this.#formOf(subject));
    } catch (error) {
      ended('failed');
      void this.#blame(admission, error);
      throw unavailable(error);
    }
    if (isDown(answer)) {
      ended('failed');
      void this.#blame(admission);
      throw unavailable(new PlainFault(`the issuer answered with status ${answer.status}`));
    }
    this.#breaker.settle(admission, 'success');
    try {
      const token = this.#read(answer, principal);
      this.#tokens.set(digest, token);
      ended('exchanged');
      return token;
    } catch (error) {
      ended('refused');
      const problem = refusal(error);
      this.#refused.set(digest, problem);
      throw problem;
    }
  }

  #spared(problem: Problem): Promise<never> {
    this.#parts.ended('spared');
    return Promise.reject(problem);
  }

  /**
   * Finds out whether the issuer has failed or the token: whoever sends tokens that make the issuer stumble could keep those of
   * everybody else from being exchanged otherwise. Nobody waits for it.
   */
  async #blame(admission: number, error?: unknown): Promise<void> {
    const isReached = error === undefined || !UNREACHED.has((error as NodeJS.ErrnoException).code);
    this.#breaker.settle(admission, isReached && (await this.#isWell()) ? 'success' : 'failure');
  }

  /** Asks for a token that is none; one question at a time, for all who want to know. */
  #isWell(): Promise<boolean> {
    this.#control ??= this.#endpoint
      .post(this.#formOf(CONTROL))
      .then(
        (answer) => !isDown(answer),
        () => false,
      )
      .finally(() => (this.#control = undefined));
    return this.#control;
  }

  #formOf(subject: string): { form: URLSearchParams; authorization: string | undefined } {
    const { audience = [], resource = [], scope } = this.#options;
    const form = new URLSearchParams({
      grant_type: GRANT,
      subject_token: subject,
      subject_token_type: ACCESS_TOKEN,
      requested_token_type: ACCESS_TOKEN,
    });
    for (const one of audience) form.append('audience', one);
    for (const one of resource) form.append('resource', one);
    if (scope !== undefined) form.set('scope', scope);
    const authorization = authenticate(form, this.#options, this.#parts.credential);
    return { form, authorization };
  }

  /** RFC 8693 section 2.2. @throws {PlainFault} for anything but a token that may be sent as it is. */
  #read({ status, body }: EndpointAnswer, { claims }: Principal): ExchangedToken {
    const { access_token: text, token_type: type, issued_token_type: issued, expires_in: life, error } = body;
    if (status !== 200) {
      const code = typeof error === 'string' && ERROR_CODE.test(error) ? `: ${error}` : '';
      throw new PlainFault(`the issuer answered with status ${status}${code}`);
    }
    if (typeof text !== 'string' || !TOKEN.test(text)) throw new PlainFault('the issuer gave no token');
    // Another type wants to be shown in another way (RFC 6749 section 7.1).
    if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
      throw new PlainFault('the issuer gave a token that is not of the type Bearer');
    if (typeof issued !== 'string') throw new PlainFault('the issuer did not say what it has issued');
    const now = Date.now();
    const said = typeof life === 'number' && life > 0 ? life * 1000 : UNSAID_MS;
    const margin = Math.min(MARGIN_MS, said / 2);
    const subjectEnds = typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : Infinity;
    return { text, until: Math.min(now + Math.min(said - margin, this.#options.maxAge), subjectEnds) };
  }
}

function isDown({ status }: EndpointAnswer): boolean {
  return status >= 500 || status === 429;
}

function unavailable(cause?: unknown): Problem {
  return new Problem('identity-unavailable', {
    detail: 'The token for the service cannot be obtained right now.',
    headers: { 'retry-after': '1' },
    ...(cause === undefined ? {} : { cause }),
  });
}

function refusal(cause: unknown): Problem {
  const detail = 'The issuer of the token gives none for the service.';
  return new Problem('upstream-rejected', { detail, cause });
}

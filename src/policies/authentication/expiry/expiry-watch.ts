import type { Exchange } from '../../../exchange/exchange.ts';
import { fieldOf } from '../../../exchange/field-list.ts';
import type { OpenExchanges } from '../../../exchange/open-exchanges.ts';
import { credentialEndMs, type Principal } from '../../../exchange/principal.ts';
import { isStreamType } from '../../../exchange/stream-type.ts';
import { Problem } from '../../../problems/problem.ts';
import { endExchange } from '../revocation/revoked-exchange.ts';
import type { Upkeep } from '../scheme.ts';
import type { Clock } from '../verifier.ts';

/** How often open exchanges are looked through: what has expired ends well within a second. */
const LOOK_MS = 250;
/** An answer that takes no longer is no stream, whatever it calls itself: a short call shall not fail for a token's last moment. */
const SHORT_MS = 1000;
/** How long what is no stream may go on with a token that has expired, unless its route says otherwise. */
const GRACE_MS = 300_000;

/** What a watch looks at. */
export interface ExpiryDeps {
  /** The list that is shared with who ends others. */
  readonly exchanges: OpenExchanges;
  readonly clock?: Clock | undefined;
}

/**
 * Ends what is under way when the credential that it began with expires, at every door: streams at once, everything else after
 * the grace of its route (`expiryGrace`). No exchange has a timer for it: all that are open are looked through now and then, and
 * most are over by then. Sockets and streams that end themselves are left to do so.
 */
export class ExpiryWatch implements Upkeep {
  readonly #exchanges: OpenExchanges;
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor({ exchanges, clock = Date.now }: ExpiryDeps) {
    this.#exchanges = exchanges;
    this.#clock = clock;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Has an exchange end with the credentials that it begins with; costs nothing for those that never expire. */
  admit(exchange: Exchange, principal: Principal): void {
    if (principal.also !== undefined || principal.claims['exp'] !== undefined) this.#exchanges.add(exchange);
  }

  /** Looks through all that is open. */
  look(): void {
    const now = this.#clock();
    for (const exchange of this.#exchanges.filter((one) => isDue(one, now))) {
      const problem = new Problem('credentials-expired', {
        detail: 'The token has expired while the request was under way.',
      });
      if (exchange.response.headersSent) exchange.problem ??= problem;
      exchange.route?.metrics.credentialEnded();
      endExchange(exchange, problem);
    }
  }
}

function isDue(exchange: Exchange, now: number): boolean {
  const { principal, endsItself, cancelled } = exchange;
  if (principal === undefined || endsItself || cancelled !== undefined) return false;
  const end = credentialEndMs(principal);
  if (now < end) return false;
  return now >= end + graceOf(exchange) || isStream(exchange);
}

function graceOf({ route }: Exchange): number {
  const policy = route?.policies.authentication;
  const { expiryGrace = GRACE_MS } = policy === undefined || policy === 'public' ? {} : policy;
  return expiryGrace === 'unlimited' ? Infinity : expiryGrace;
}

function isStream({ response, startedAt, answerHead }: Exchange): boolean {
  if (!response.headersSent || performance.now() - startedAt < SHORT_MS) return false;
  const type = answerHead && fieldOf(answerHead.headers, 'content-type');
  // What Fastify writes has its fields in the response.
  return isStreamType(type ?? response.getHeader('content-type')?.toString());
}

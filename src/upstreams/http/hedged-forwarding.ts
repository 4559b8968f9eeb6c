import type { Exchange } from '../../exchange/exchange.ts';
import type { Attempts } from '../attempts.ts';
import { hedgeOf, type HedgePolicy } from '../hedging/hedge-policy.ts';
import { Hedge, type Racer } from '../hedging/hedge.ts';
import type { AnswerHead } from '../transport/http1/answer-head.ts';
import type { Upstream } from '../upstream.ts';
import type { ForwardingDeps } from './forward-host.ts';
import { HttpForwarding } from './http-forwarder.ts';
import type { Outbound } from './outbound.ts';

const FIRST_FAILURE_STATUS = 500;

/** Who sends an exchange to its upstream: with a second attempt beside a slow first one, where that is asked for. */
export function forwardingOf(
  exchange: Exchange,
  upstream: Upstream,
  outbound: Outbound,
  deps: ForwardingDeps,
): HttpForwarding {
  const hedge = hedgeOf(exchange, upstream);
  // A handshake is answered by one connection for good.
  if (hedge === undefined || outbound.upgrade !== undefined)
    return new HttpForwarding(exchange, upstream, outbound, deps);
  return new HedgedForwarding(exchange, upstream, outbound, deps).hedgedBy(hedge);
}

/** Sends one exchange to its upstream, and, while its first attempt is slow, has another one of its kind do so as well. */
class HedgedForwarding extends HttpForwarding implements Racer {
  /** Undefined once there is a race, and for who is the second in it. */
  #policy: HedgePolicy | undefined = undefined;
  #hedge: Hedge | undefined = undefined;
  /** The other one goes on alone. */
  #isOut = false;

  /** The attempts; there are some once one was made. */
  get attempts(): Attempts {
    return this.given as Attempts;
  }

  /** Says when a second attempt is made. */
  hedgedBy(policy: HedgePolicy): this {
    this.#policy = policy;
    return this;
  }

  rival(attempts: Attempts, hedge: Hedge): Racer {
    const other = new HedgedForwarding(this.exchange, this.upstream, this.outbound, this.deps);
    other.body = this.body;
    other.isRepeatable = true;
    other.given = attempts;
    other.#hedge = hedge;
    return other;
  }

  begin(): void {
    this.exchange.onCancel(this.whenCancelled);
    this.attempt();
  }

  lose(): void {
    this.#isOut = true;
    this.attempts.settle('neutral', 'lost');
    this.current?.abandon();
  }

  override givesUp(head: AnswerHead): boolean {
    const { status } = head;
    const isUseless = status >= FIRST_FAILURE_STATUS || this.attempts.isTriedAgain(status);
    if (isUseless && this.leaves()) return true;
    if (super.givesUp(head)) return true;
    this.#hedge?.wins(this);
    return false;
  }

  override retry(): void {
    if (!this.#isOut) super.retry();
  }

  // Not before: while it waits for a target that is not full, nobody is slow.
  protected override leased(): void {
    const policy = this.#policy;
    this.#policy = undefined;
    if (policy !== undefined && this.attempts.mayRepeat) this.#hedge = new Hedge(this, policy);
  }

  protected override leaves(): boolean {
    this.#isOut = this.#hedge?.yields(this) === true;
    return this.#isOut;
  }
}

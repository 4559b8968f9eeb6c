import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Outbound } from '../../upstreams/http/outbound.ts';
import { signedFor } from '../../upstreams/identity/service-identity.ts';
import type { Lease } from '../../upstreams/lease.ts';
import type { Http1Pool } from '../../upstreams/transport/http1/http1-pool.ts';
import { compareAnswers } from './compare-answers.ts';
import { HeardAnswer, HearingSink } from './heard-answer.ts';
import { keepBody } from './kept-body.ts';
import { MirrorCall } from './mirror-call.ts';
import type { Mirror } from './mirror.ts';

/** What a mirrored request says, besides its body. */
interface MirrorHead {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly string[];
  readonly host: string | undefined;
}

/**
 * The copy of one request, from when it is chosen until its answer is thrown away: it holds its place among those under way
 * for as long, and no longer than the time that it has. Nothing that happens to it reaches the exchange.
 */
export class MirroredRequest {
  readonly #mirror: Mirror;
  readonly #exchange: Exchange;
  readonly #id: string;
  readonly #timer: NodeJS.Timeout;
  #isCounted = false;
  #isOver = false;
  #call: MirrorCall | undefined = undefined;
  #forgetBody: (() => void) | undefined = undefined;
  #expected: HeardAnswer | undefined = undefined;
  #actual: HeardAnswer | undefined = undefined;
  /** How many of the two answers are complete. */
  #complete = 0;

  /** To be made for who has entered the tally. */
  constructor(mirror: Mirror, exchange: Exchange) {
    this.#mirror = mirror;
    this.#exchange = exchange;
    this.#id = exchange.id;
    this.#timer = setTimeout(() => this.#expired(), mirror.options.timeout).unref();
  }

  /** The sink that the route's own answer is to go to: what it hears is kept to be compared, where that is wanted. */
  watching(sink: AnswerSink): AnswerSink {
    const { compare } = this.#mirror;
    if (compare === undefined) return sink;
    this.#expected = new HeardAnswer(compare.maxBytes);
    this.#actual = new HeardAnswer(compare.maxBytes);
    return new HearingSink(sink, this.#expected, (isWhole) => this.#answered(isWhole));
  }

  /** Sends the copy of what goes out for the exchange, once its body is there. To be called in the turn that sends that. */
  send({ path, body }: Outbound, isEdited: boolean): void {
    const { method } = this.#exchange;
    try {
      const { fields, host } = this.#mirror.headOf(this.#exchange, isEdited);
      const head = { method, path, fields, host };
      if (body === null) return this.#go(head, null);
      const forget = keepBody(body, this.#mirror.options.maxBody, (kept) => {
        if (Buffer.isBuffer(kept)) this.#go(head, kept);
        else this.#fail(kept);
      });
      this.#forgetBody = forget;
    } catch {
      // Such as a host that cannot be filled in; the exchange has its own way of telling.
      this.#fail('not-sent');
    }
  }

  #go(head: MirrorHead, body: Buffer | null): void {
    if (this.#isOver) return;
    const tokens = this.#mirror.upstream.identity?.awaits(this.#exchange);
    if (tokens === undefined) return this.#lease(head, body);
    tokens.then(
      () => this.#lease(head, body),
      () => this.#fail('unavailable'),
    );
  }

  #lease({ fields, ...rest }: MirrorHead, body: Buffer | null): void {
    if (this.#isOver) return;
    const head = { ...rest, fields: signedFor(this.#mirror.upstream, fields, this.#exchange) };
    let lease: Lease;
    try {
      lease = this.#mirror.upstream.lease(undefined);
    } catch {
      return this.#fail('unavailable');
    }
    try {
      this.#carry(head, body, lease);
    } catch {
      lease.release('neutral');
      this.#fail('not-sent');
    }
  }

  #carry({ method, path, fields, host }: MirrorHead, body: Buffer | null, lease: Lease): void {
    const pool = lease.target.http1 as Http1Pool;
    const head = pool.headOf({ method, path, fields, host, body });
    this.#call = new MirrorCall({
      // Never sent twice, not even over a connection that turns out to have ended.
      message: { head, body, isIdempotent: false },
      patience: this.#mirror.upstream.patience,
      isHeadOnly: method === 'HEAD',
      lease,
      maxBytes: this.#mirror.options.maxAnswer,
      answer: this.#actual,
      ended: (outcome, isWhole) => {
        this.#count(outcome);
        this.#answered(isWhole);
      },
    });
    pool.carry(this.#call);
  }

  /** Hears that one of the two answers is complete, or never will be. */
  #answered(isWhole: boolean): void {
    if (this.#isOver) return;
    const [expected, actual] = [this.#expected, this.#actual];
    // Where nothing is compared, the mirrored answer is the only one that is heard of.
    if (expected === undefined || actual === undefined) return this.#leave();
    if (!isWhole) return this.#withoutComparison();
    this.#complete += 1;
    if (this.#complete === 2) this.#compare(expected, actual);
  }

  // What is compared holds its place until it is, so that the memory of all of them is bounded.
  #compare(expected: HeardAnswer, actual: HeardAnswer): void {
    const { compare, tally } = this.#mirror;
    if (compare === undefined) return this.#leave();
    const statuses = [expected.status, actual.status] as const;
    clearTimeout(this.#timer);
    // Not in the turn in which the client is answered.
    setImmediate(() => {
      void compareAnswers(expected, actual, compare).then((differences) => {
        tally.compared(differences, { id: this.#id, statuses });
        this.#leave();
      });
    });
  }

  /** One of the answers will not be complete; the mirrored one may still be under way. */
  #withoutComparison(): void {
    this.#expected = undefined;
    this.#mirror.tally.compared(undefined, { id: this.#id, statuses: [0, 0] });
    if (this.#isCounted) this.#leave();
  }

  #expired(): void {
    if (!this.#isCounted) this.#fail('timeout');
    else this.#withoutComparison();
  }

  #fail(outcome: string): void {
    this.#count(outcome);
    this.#leave();
  }

  #count(outcome: string): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    this.#mirror.tally.counted(outcome);
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#forgetBody?.();
    this.#call?.abandon();
    this.#expected = this.#actual = undefined;
    this.#mirror.tally.leave();
  }
}

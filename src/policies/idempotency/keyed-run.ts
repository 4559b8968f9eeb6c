import type { AnswerKeeper, OperationEnd } from '../../exchange/answer-keeper.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Pieces } from '../../exchange/pieces.ts';
import { Problem } from '../../problems/problem.ts';
import { problemAnswer } from '../../problems/render-problem.ts';
import { STORE_UNAVAILABLE } from '../../store/store-guard.ts';
import type { LabelCounter } from '../../telemetry/label-counter.ts';
import type { PolicySet } from '../order.ts';
import type { AloneRuns } from './alone-runs.ts';
import { viewOf } from './asked.ts';
import type { Claim, KeyRecords, RecordState } from './key-records.ts';
import { keptFields, type AnswerBytes, type KeptAnswer } from './kept-answer.ts';
import { inFlight, unavailable } from './refusals.ts';
import { verdictOf, verdictOfOperation } from './verdict.ts';

/** What the runs of one route share. */
export interface RunDeps {
  readonly routeId: string;
  readonly records: KeyRecords;
  readonly bytes: AnswerBytes;
  readonly counts: LabelCounter;
  readonly maxAnswer: number;
  readonly retryable: ReadonlySet<number>;
  readonly isOpen: boolean;
  readonly runsUnknown: boolean;
  readonly policies: PolicySet;
  readonly alone: AloneRuns;
}

/** How long a request whose client has left is waited for, besides its deadline. */
const LONGEST_ALONE_MS = 60_000;
/** Half of what most clients take at all. */
const MOST_TRAILER_BYTES = 8 * 1024;
const TRIES_AFTER_MS = [250, 1000, 4000, 16_000];

/**
 * The one run of a request with a key: has the claim extended while it lives, and written what became of it before the
 * client knows.
 */
export class KeyedRun implements AnswerKeeper {
  /** Digests a body that streams; empty until all of it has been seen. */
  bodyDigest: (() => string) | undefined = undefined;
  /** Whether its pieces come by; else it is a stream of events, or was not answered. */
  isPassing = false;
  isAlone = false;
  readonly mayRunAgain: boolean;
  readonly #exchange: Exchange;
  readonly #deps: RunDeps;
  #claim: Claim;
  #stage: 'claimed' | 'begins' | 'sent' | 'settled' = 'claimed';
  #settled: Promise<void> | undefined = undefined;
  readonly #whenSettled = Promise.withResolvers<void>();
  #status = 0;
  #headers: readonly string[] = [];
  #trailers: readonly string[] | undefined = undefined;
  #operation: OperationEnd | undefined = undefined;
  #pieces: Pieces | undefined = new Pieces();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(exchange: Exchange, claim: Claim, deps: RunDeps) {
    this.#exchange = exchange;
    this.#claim = claim;
    this.#deps = deps;
    this.mayRunAgain = deps.runsUnknown;
    if (deps.records.isShared) this.#extendLater();
    exchange.onClosed(() => this.#closed());
  }

  begin(): Promise<void> | undefined {
    return this.#stage === 'claimed' ? this.#begin() : undefined;
  }

  head(status: number, headers: readonly string[]): void {
    this.#status = status;
    this.#headers = keptFields(headers);
  }

  piece(chunk: Buffer): void {
    if (this.#pieces === undefined) return;
    if (this.#pieces.length + chunk.length > this.#deps.maxAnswer) this.#pieces = undefined;
    else this.#pieces.push(chunk);
  }

  trailers(fields: readonly string[]): void {
    const size = fields.reduce((bytes, one) => bytes + one.length, 0);
    // An answer without what its end says is another one.
    if (size > MOST_TRAILER_BYTES) this.#pieces = undefined;
    else this.#trailers = fields;
  }

  operation(end: OperationEnd): void {
    this.#operation = end;
  }

  ended(): Promise<void> | undefined {
    const { problem } = this.#exchange;
    if (this.#settled !== undefined) return this.#settled;
    if (problem !== undefined) return this.refused(problem);
    if (this.#deps.retryable.has(this.#status)) return this.#settle('released');
    const verdict =
      this.#operation && verdictOfOperation(this.#exchange, this.#operation, this.#deps.retryable);
    if (verdict !== undefined && verdict !== 'kept') return this.#settle(verdict);
    const body = this.#pieces?.take();
    return this.#settle('kept', this.#kept(this.#status, this.#headers, body && Buffer.from(body)));
  }

  refused(problem: Problem): Promise<void> | undefined {
    if (this.#settled !== undefined) return this.#settled;
    const isBegun = this.#stage === 'sent';
    // What has begun to be answered has been run, however it ends.
    const hasHead = this.#status !== 0 || this.#exchange.response.headersSent;
    const verdict = hasHead ? 'lost' : verdictOf(this.#exchange, problem, isBegun, this.#deps.retryable);
    if (verdict !== 'kept') return this.#settle(verdict);
    const { head, body } = problemAnswer(problem, this.#exchange.id);
    return this.#settle('kept', this.#kept(head.status, keptFields(head.headers), body));
  }

  outlives(end: () => void): boolean {
    const { request, cancelled } = this.#exchange;
    // A client that leaves within its request has not said all of it.
    const isWorth = this.#stage === 'sent' && request.complete && cancelled === undefined;
    const isEvents = this.#status !== 0 && !this.isPassing;
    const { alone } = this.#deps;
    if (!isWorth || isEvents || !alone.enter()) return false;
    this.isAlone = true;
    const timer = setTimeout(() => this.#giveUp(), LONGEST_ALONE_MS).unref();
    void this.#whenSettled.promise.then(() => {
      alone.leave();
      clearTimeout(timer);
      end();
    });
    return true;
  }

  #giveUp(): void {
    this.#exchange.cancel(new Problem('client-closed'));
    if (this.#settled === undefined) void this.#settle('lost');
  }

  async #begin(): Promise<void> {
    const { records, isOpen } = this.#deps;
    this.#stage = 'begins';
    const isOurs = await records.write(this.#claim, { state: 'sent' });
    // It was cancelled meanwhile, and its claim given back.
    if (this.#settled !== undefined) throw this.#exchange.cancelled ?? inFlight();
    // Its lease was over before it had begun, and somebody else has come.
    if (isOurs === false) throw inFlight();
    // Fails closed by default: if this process died now, nobody would know that anything was run.
    if (isOurs === STORE_UNAVAILABLE && !isOpen) throw unavailable();
    this.#stage = 'sent';
  }

  #kept(status: number, headers: readonly string[], body: Buffer | undefined): KeptAnswer {
    const view = viewOf(this.#exchange, this.#deps.policies);
    return { status, headers, body, view, trailers: this.#trailers };
  }

  #settle(as: 'released' | 'lost'): Promise<void>;
  #settle(as: 'kept', answer: KeptAnswer): Promise<void>;
  #settle(as: 'released' | 'lost' | 'kept', answer?: KeptAnswer): Promise<void> {
    clearTimeout(this.#timer);
    this.#stage = 'settled';
    const body = this.bodyDigest?.() ?? this.#claim.fingerprint.body;
    this.#claim = { ...this.#claim, fingerprint: { ...this.#claim.fingerprint, body } };
    const done =
      answer && ({ state: 'done', answer: this.#deps.bytes.write(answer, this.#claim.name) } as const);
    this.#count(answer !== undefined && answer.body === undefined ? 'not-kept' : as);
    this.#settled = as === 'released' ? this.#release() : this.#write(done ?? { state: 'unknown' });
    void this.#settled.then(this.#whenSettled.resolve);
    return this.#settled;
  }

  async #write(state: RecordState): Promise<void> {
    const written = await this.#deps.records.write(this.#claim, state);
    if (written !== STORE_UNAVAILABLE) return;
    // Fails open: it has been run, so that its client is told. Nobody is told again: the answer may be old by the time.
    this.#count('unstored');
    this.#later(() => this.#deps.records.write(this.#claim, { state: 'unknown' }));
  }

  async #release(): Promise<void> {
    const release = () => this.#deps.records.release(this.#claim);
    if ((await release()) === STORE_UNAVAILABLE) this.#later(release);
  }

  /** Until Redis hears of it the record says that somebody works on it, and nothing else once its lease is over. */
  #later(say: () => Promise<unknown>, tries = 0): void {
    const after = TRIES_AFTER_MS[tries];
    if (after === undefined) return;
    setTimeout(() => {
      void say().then((said) => {
        if (said === STORE_UNAVAILABLE) this.#later(say, tries + 1);
      });
    }, after).unref();
  }

  #extendLater(): void {
    this.#timer = setTimeout(() => {
      // Also while it begins: what is sent must never look as if it were not.
      const state = this.#stage === 'claimed' ? 'claimed' : 'sent';
      void this.#deps.records.write(this.#claim, { state });
      this.#timer?.refresh();
    }, this.#claim.leaseMs / 3).unref();
  }

  /** Whatever has not said how it ended has ended now. */
  #closed(): void {
    if (this.#settled !== undefined) return;
    const { problem, cancelled, response } = this.#exchange;
    const ended = problem ?? cancelled;
    if (ended !== undefined) return void this.refused(ended);
    // Such as a stream of events, of which nothing can be told again.
    if (response.writableFinished && this.#status !== 0 && !this.isPassing)
      return void this.#settle('kept', this.#kept(this.#status, this.#headers, undefined));
    void this.#settle('lost');
  }

  #count(outcome: string): void {
    this.#deps.counts.count(this.#deps.routeId, outcome);
  }
}

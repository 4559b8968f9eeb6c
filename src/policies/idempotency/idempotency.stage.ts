import { randomUUID } from 'node:crypto';
import type { Transform } from 'node:stream';
import type { z } from 'zod';
import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { fieldOf } from '../../exchange/field-list.ts';
import { comesInLines } from '../../exchange/line-type.ts';
import { Problem } from '../../problems/problem.ts';
import { announcesBody } from '../../problems/render-problem.ts';
import { STORE_UNAVAILABLE } from '../../store/store-guard.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { StageInput } from '../stage-factory.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { holdBody } from '../validation/held-body.ts';
import { bodyDigest, headOf, isSame, recordName, viewOf } from './asked.ts';
import { invalid, keyOf } from './idempotency-key.ts';
import { KEYED_METHODS, type idempotencyPolicy } from './idempotency.policy.ts';
import { BODILESS, replayOf } from './kept-answer.ts';
import { KeepingStream } from './keeping-stream.ts';
import type { Claim, Claimed } from './key-records.ts';
import { KeyedRun, type RunDeps } from './keyed-run.ts';
import { digestPassing, digestWhole } from './passing-body.ts';
import { inFlight, unavailable } from './refusals.ts';

/** The options of the policy. */
export type IdempotencyOptions = z.output<typeof idempotencyPolicy.schema>;

const EVENTS = /^text\/event-stream\s*(?:;|$)/i;

/** Runs requests with a key once, and answers the others as the first was answered. */
export class IdempotencyStage implements Stage {
  readonly holdsBody = true;
  readonly onlyAdds = true;
  readonly #input: StageInput;
  readonly #options: IdempotencyOptions;
  readonly #deps: RunDeps;

  constructor(input: StageInput, options: IdempotencyOptions, deps: RunDeps) {
    this.#input = input;
    this.#options = options;
    this.#deps = deps;
  }

  enter(exchange: Exchange): undefined | Promise<Answer | undefined> {
    const key = this.#keyOf(exchange);
    return key === undefined ? undefined : this.#claim(exchange, key);
  }

  explain(exchange: Exchange): StageVerdict {
    const key = this.#keyOf(exchange);
    if (key === undefined) return passes({ key: 'none' });
    return depends('it is run if its key is new, and else answered as the first request with it was', {
      key: 'given',
    });
  }

  head(exchange: Exchange, { status, headers }: ResponseHead): void {
    const { keeper, responseHeaders } = exchange;
    // What stages have added stands at the end, and belongs to this exchange only.
    keeper?.head(status, headers.slice(0, headers.length - responseHeaders.length));
  }

  stream({ keeper }: Exchange, { status, headers }: ResponseHead): Transform | undefined {
    // Fastify has no body then that could go anywhere; such an answer is whole with its head.
    if (this.#input.door === 'handler' && BODILESS.has(status)) return undefined;
    // Each event has to go at once, and none can be told again.
    if (!(keeper instanceof KeyedRun) || EVENTS.test(fieldOf(headers, 'content-type') ?? ''))
      return undefined;
    keeper.isPassing = true;
    const length = fieldOf(headers, 'content-length');
    return new KeepingStream(keeper, length === undefined ? undefined : Number(length));
  }

  /** @throws {Problem} `idempotency-key-invalid` for a key that is none, or missing, or nobody's. */
  #keyOf(exchange: Exchange): string | undefined {
    const { method, request, principal } = exchange;
    if (!KEYED_METHODS.has(method)) return undefined;
    const key = keyOf(request);
    if (key === undefined && this.#options.required) throw invalid('It is missing.');
    // Fails closed: who cannot be told apart from others would be told what they were answered.
    if (key !== undefined && principal === undefined && this.#options.anonymous === 'refuse')
      throw invalid('Keys are kept for each caller, and nobody knows who calls: send a credential.');
    return key;
  }

  async #claim(exchange: Exchange, key: string): Promise<Answer | undefined> {
    const body = await this.#bodyDigest(exchange);
    if (exchange.cancelled !== undefined) throw exchange.cancelled;
    const { records } = this.#deps;
    const { routeId } = this.#input;
    const claim: Claim = {
      name: recordName(routeId, exchange, key),
      owner: randomUUID(),
      fingerprint: { head: headOf(routeId, exchange), body },
      // What ends with this process needs no end of its own.
      leaseMs: records.isShared ? this.#options.lease : Infinity,
      ttlMs: this.#options.ttl,
    };
    const claimed = await records.claim(claim, this.#deps.runsUnknown);
    if (claimed === STORE_UNAVAILABLE) return this.#unprotected();
    if (claimed.state !== 'claimed') return this.#known(exchange, claim, claimed);
    if (exchange.cancelled !== undefined) {
      void records.release(claim);
      throw exchange.cancelled;
    }
    this.#count('run');
    const run = new KeyedRun(exchange, claim, this.#deps);
    // A handler has read it.
    if (body === '' && this.#input.door === 'proxy') run.bodyDigest = digestPassing(exchange);
    exchange.keeper = run;
    return undefined;
  }

  /** The digest of the body; empty for one that streams on. */
  async #bodyDigest(exchange: Exchange): Promise<string> {
    const { request, route, heldBody } = exchange;
    if (!announcesBody(request)) return bodyDigest(NO_BODY);
    // Fastify has read it then.
    if (this.#input.door === 'handler') return heldBody === undefined ? UNSEEN : bodyDigest(heldBody);
    if (route?.action.takesLines === true && comesInLines(request.headers['content-type'])) return '';
    const held = await holdBody(exchange, { maxBytes: this.#options.maxRequest, passesLarger: true });
    return held === undefined ? '' : bodyDigest(held);
  }

  #unprotected(): undefined {
    if (this.#options.onStoreError === 'closed') {
      // Fails closed by default: who sends a key relies on not being run twice, and can come again.
      this.#count('unavailable');
      throw unavailable();
    }
    this.#count('unprotected');
    return undefined;
  }

  /** Answers a request whose key was used before. */
  async #known(
    exchange: Exchange,
    claim: Claim,
    known: Exclude<Claimed, { state: 'claimed' }>,
  ): Promise<Answer> {
    const { state, fingerprint } = known;
    if (!isSame(fingerprint, claim.fingerprint)) throw this.#reused();
    if (state === 'running') {
      this.#count('in-flight');
      throw inFlight();
    }
    if (state === 'unknown') {
      this.#count('outcome-unknown');
      throw new Problem('idempotency-outcome-unknown');
    }
    const kept = this.#deps.bytes.read(known.answer, claim.name);
    const isShown = kept?.view === viewOf(exchange, this.#input.policies);
    if (kept?.body === undefined || !isShown) {
      this.#count('not-replayable');
      throw new Problem('idempotency-not-replayable');
    }
    // Of a large body only the digest is of use; it is read for nothing else.
    if (
      claim.fingerprint.body === '' &&
      fingerprint.body !== '' &&
      (await digestWhole(exchange)) !== fingerprint.body
    )
      throw this.#reused();
    this.#count('replayed');
    exchange.isReplayed = true;
    return replayOf({ ...kept, body: kept.body });
  }

  #reused(): Problem {
    this.#count('reused');
    return new Problem('idempotency-key-reused');
  }

  #count(outcome: string): void {
    this.#deps.counts.count(this.#input.routeId, outcome);
  }
}

const NO_BODY = Buffer.alloc(0);
/** Of a body that a handler reads by itself: it is compared with nothing. */
const UNSEEN = '';

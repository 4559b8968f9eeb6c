import { Inject, Injectable, Logger } from '@nestjs/common';
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { errorName } from '../../telemetry/error-facts.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { depends, type StageVerdict } from '../explained-stage.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { StageFault } from '../stage-fault.ts';
import type { Stage } from '../stage.ts';
import { externalAuthorizationPolicy } from './external-authorization.policy.ts';
import { OUTSIDE, type Outside } from './outside.ts';
import {
  questionerOf,
  type Decision,
  type ExternalOptions,
  type Question,
  type Questioner,
} from './questions.ts';

const LOG_EVERY_MS = 1000;
const BY = 'externalAuthorization';
const REFUSED = new Problem('permission-denied', { by: BY });

interface StageDeps {
  readonly options: ExternalOptions;
  readonly questioner: Questioner;
  readonly outside: Outside;
  readonly metrics: Metrics;
  readonly routeId: string;
}

/** Asks about each request of a route, or each operation. */
class ExternalAuthorizationStage implements Stage {
  readonly #deps: StageDeps;
  readonly #kept: LRUCache<string, Decision> | undefined;
  readonly #log = new Logger('ExternalAuthorization');
  readonly #nothing: NonNullable<Exchange['vouched']>;
  #loggedAt = -Infinity;

  constructor(deps: StageDeps) {
    this.#deps = deps;
    const { cache } = deps.options;
    this.#kept = cache && new LRUCache({ max: cache.max, ttl: cache.ttl });
    this.#nothing = Object.freeze({ folded: deps.questioner.vouched, fields: Object.freeze([]) });
  }

  enter(exchange: Exchange): void | Answer | Promise<void | Answer> {
    // Whatever comes of it, the client does not say what only the service may say.
    exchange.vouched = this.#nothing;
    let question: Question;
    try {
      question = this.#deps.questioner.questionOf(exchange);
    } catch (error) {
      return this.#fault(exchange, error);
    }
    const key = this.#kept && hash('sha256', question.key, 'base64url');
    const known = key === undefined ? undefined : this.#kept?.get(key);
    if (known !== undefined) return this.#apply(exchange, known, 'kept');
    return question.ask(this.#deps.outside, exchange).then(
      (decision) => {
        if (key !== undefined) this.#kept?.set(key, decision);
        return this.#apply(exchange, decision, 'asked');
      },
      (error: unknown) => this.#fault(exchange, error),
    );
  }

  explain(exchange: Exchange): StageVerdict {
    exchange.vouched = this.#nothing;
    return depends('whoever is asked decides', { asks: this.#deps.options.upstream });
  }

  close(): void {
    this.#kept?.clear();
  }

  #apply(exchange: Exchange, { allowed, fields, refusal }: Decision, how: 'asked' | 'kept'): void | Answer {
    const { metrics, routeId, options } = this.#deps;
    metrics.authorization.askedOutside(routeId, allowed ? 'allowed' : 'denied', how);
    if (allowed) {
      if (fields.length > 0) exchange.vouched = { folded: this.#deps.questioner.vouched, fields };
      return undefined;
    }
    if (options.mode === 'shadow') return this.#shadow(exchange, BY);
    if (refusal === undefined) throw new Problem('permission-denied', { by: BY });
    exchange.denied = REFUSED;
    const body = Buffer.from(refusal.body);
    const type =
      body.length === 0 || refusal.fields.includes('content-type')
        ? []
        : ['content-type', 'text/plain; charset=utf-8'];
    return {
      status: refusal.status,
      headers: [...refusal.fields, ...type, 'cache-control', 'no-store'],
      body,
    };
  }

  #fault(exchange: Exchange, error: unknown): void {
    // Who left, or has no time any more, is no fault of whoever was asked.
    if (exchange.cancelled !== undefined) throw exchange.cancelled;
    const { metrics, routeId, options } = this.#deps;
    metrics.authorization.askedOutside(routeId, 'fault', 'asked');
    this.#tell(error);
    if (options.mode === 'shadow') return this.#shadow(exchange, `${BY}: fault`);
    // Fails open only where the configuration says so; each such request is told of.
    if (options.onFault === 'allow') return void (exchange.shadowDenied = `${BY}: fault`);
    // Fails closed: who cannot be asked about is not let in.
    throw new Problem('authorization-unavailable', { by: BY, cause: error, headers: { 'retry-after': '1' } });
  }

  #shadow(exchange: Exchange, by: string): void {
    exchange.shadowDenied = by;
    this.#deps.metrics.authorization.shadowDenied(this.#deps.routeId, by);
  }

  // Bounded: an outage is one line a second, not one for each request.
  #tell(error: unknown): void {
    const now = performance.now();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    const { routeId, options } = this.#deps;
    this.#log.warn(`${routeId}: "${options.upstream}" cannot be asked: ${errorName(error)}`);
  }
}

/** Compiles the `externalAuthorization` policy. */
@Injectable()
export class ExternalAuthorizationStageFactory implements StageFactory {
  readonly policy = externalAuthorizationPolicy;

  constructor(
    @Inject(OUTSIDE) private readonly outside: Outside,
    private readonly metrics: Metrics,
  ) {}

  compile({ policies, routeId, protocolOf }: StageInput): Stage | undefined {
    const { externalAuthorization: options } = policies;
    if (options === undefined) return undefined;
    const questioner = questionerOf(options);
    const protocol = protocolOf?.(options.upstream);
    const key = ['externalAuthorization', 'upstream'];
    if (protocol === undefined) throw new StageFault(key, `there is no upstream "${options.upstream}"`);
    if (protocol !== questioner.protocol)
      throw new StageFault(
        key,
        `the upstream "${options.upstream}" speaks ${protocol}, expected one that speaks ${questioner.protocol}`,
      );
    return new ExternalAuthorizationStage({
      options,
      questioner,
      outside: this.outside,
      metrics: this.metrics,
      routeId,
    });
  }
}

/** Registers the policy in THE ORDER. */
export const externalAuthorization = {
  policy: externalAuthorizationPolicy,
  factory: ExternalAuthorizationStageFactory,
};

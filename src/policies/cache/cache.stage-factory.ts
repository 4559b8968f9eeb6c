import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import { AnswerStore } from './answer-store.ts';
import { Background } from './background.ts';
import type { CacheMetrics } from './cache-metrics.ts';
import { cachePolicy } from './cache.policy.ts';
import { CacheStage, type CacheTools } from './cache.stage.ts';
import { BodyCoder } from './body-coder.ts';
import { Flights } from './flights.ts';
import type { HandlerRuns } from './handler-runs.ts';
import type { SharedAnswers } from './shared-answers.ts';
import { routeCodingOf } from './stored-coding.ts';

/** Compiles the `cache` policy; the routes of a snapshot share one bounded store. */
export class CacheStageFactory implements StageFactory {
  readonly policy = cachePolicy;
  readonly #store: AnswerStore;
  readonly #tools: CacheTools;
  readonly #shared: SharedAnswers | undefined;
  readonly #coder = new BodyCoder();

  /** @param handlers runs handlers in the background. */
  constructor(
    store = new AnswerStore(),
    metrics?: CacheMetrics,
    shared?: SharedAnswers,
    handlers?: HandlerRuns,
  ) {
    this.#store = store;
    this.#shared = shared;
    this.#tools = { flights: new Flights(), background: new Background(handlers), metrics };
  }

  compile({ routeId, door, policies }: StageInput): Stage | undefined {
    const { cache } = policies;
    if (cache === undefined) return undefined;
    const { scope, ttl, negativeTtl, staleWhileRevalidate, staleIfError, maxBody, targetedFields } = cache;
    const keeping = {
      store: this.#store,
      shared: cache.store === 'shared' ? this.#shared : undefined,
      scope,
      times: { ttl, negativeTtl, staleWhileRevalidate, staleIfError },
      maxBody,
      isOfHandler: door === 'handler',
      coding: routeCodingOf(policies),
      coder: this.#coder,
      targets: targetedFields.map((name) => name.toLowerCase()),
    };
    const names = { routeId, storedAs: storedAs(routeId, policies) };
    return new CacheStage(names, cache, keeping, this.#tools);
  }
}

// Some answers are stored as they were edited. Those of a route whose edits a reload has changed are not its answers any
// more: what it masks now may not come from before.
function storedAs(routeId: string, { transform }: StageInput['policies']): string {
  return transform?.response === undefined ? routeId : `${routeId} ${JSON.stringify(transform.response)}`;
}

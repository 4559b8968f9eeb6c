import { Problem } from '../../problems/problem.ts';
import type { Run } from './flights.ts';
import { SharedRun, type Passage } from './shared-run.ts';
import { refusalOf } from './waiter.ts';

/** Bounds what a long exchange, such as the one of a socket, can gather per call; the oldest goes first. */
const MAX_RUNS = 1000;

type Runs = Map<string, SharedRun<unknown>>;

/** What calls have brought within each exchange. It lives as long as its exchange, and nothing outlives it. */
export class ExchangeMemo {
  readonly #byExchange = new WeakMap<object, Map<object, Runs>>();

  /** Makes the layer that runs equal calls of one exchange once. Failures are not kept, "not found" is. */
  layer<In, Out>(call: object, load: Run<In, Out>): Run<In, Out> {
    return (input, key, passage) => {
      const refusal = refusalOf(passage);
      if (refusal !== undefined) return Promise.reject(refusal);
      // One call has values of one type.
      const runs = this.#runsOf(passage.origin, call) as Map<string, SharedRun<Out>>;
      const known = runs.get(key);
      if (known?.joinable === true) return known.join(passage);
      if (runs.size >= MAX_RUNS) runs.delete(runs.keys().next().value ?? '');
      const run = runOf(runs, key, passage, (inner) => load(input, key, inner));
      const answer = run.join(passage);
      run.start();
      return answer;
    };
  }

  /** Forgets what was read in an exchange: it has changed something, or begins anew. */
  forget(exchange: object): void {
    this.#byExchange.delete(exchange);
  }

  #runsOf(exchange: object, call: object): Runs {
    let calls = this.#byExchange.get(exchange);
    if (calls === undefined) this.#byExchange.set(exchange, (calls = new Map()));
    let runs = calls.get(call);
    if (runs === undefined) calls.set(call, (runs = new Map()));
    return runs;
  }
}

function runOf<Out>(
  runs: Map<string, SharedRun<Out>>,
  key: string,
  { exchange, origin }: Passage,
  load: (passage: Passage) => Promise<Out>,
): SharedRun<Out> {
  const run = new SharedRun<Out>({
    starter: exchange,
    principal: exchange.principal,
    origin,
    timeoutMs: Infinity,
    deadlineAt: exchange.deadlineAt,
    load,
    ended: (ended, outcome) => {
      const final = 'value' in outcome || isNotFound(outcome.error);
      if (!final && runs.get(key) === ended) runs.delete(key);
    },
  });
  runs.set(key, run);
  return run;
}

function isNotFound(error: unknown): boolean {
  return error instanceof Problem && error.code === 'resource-not-found';
}

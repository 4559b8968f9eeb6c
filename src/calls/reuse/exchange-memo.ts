import { Problem } from '../../problems/problem.ts';
import type { Run } from './flights.ts';
import { SharedRun, type Passage } from './shared-run.ts';
import { refusalOf } from './waiter.ts';

/** Bounds what a long exchange, such as the one of a socket, can gather per call; the oldest goes first. */
const MAX_RUNS = 1000;

/**
 * Makes the layer that runs equal calls of one exchange once. What it has brought stays as long as the exchange;
 * failures do not, except that something does not exist.
 */
export function memoized<In, Out>(load: Run<In, Out>): Run<In, Out> {
  const layer = {};
  return (input, key, passage) => {
    const refusal = refusalOf(passage);
    if (refusal !== undefined) return Promise.reject(refusal);
    let runs = passage.origin.runs.get(layer) as Map<string, SharedRun<Out>> | undefined;
    if (runs === undefined) {
      runs = new Map();
      passage.origin.runs.set(layer, runs as Map<string, SharedRun<unknown>>);
    }
    const known = runs.get(key);
    if (known?.joinable === true) {
      if (passage.trail !== undefined) passage.trail.via = 'memo';
      return known.join(passage);
    }
    if (runs.size >= MAX_RUNS) runs.delete(runs.keys().next().value ?? '');
    const run = runOf(runs, key, passage, (inner) => load(input, key, inner));
    const answer = run.join(passage);
    run.start();
    return answer;
  };
}

function runOf<Out>(
  runs: Map<string, SharedRun<Out>>,
  key: string,
  passage: Passage,
  load: (passage: Passage) => Promise<Out>,
): SharedRun<Out> {
  const run = new SharedRun<Out>({
    starter: passage,
    principal: passage.exchange.principal,
    origin: passage.origin,
    timeoutMs: Infinity,
    deadlineAt: passage.exchange.deadlineAt,
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

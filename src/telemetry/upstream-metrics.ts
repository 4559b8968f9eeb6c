import type { Registry } from 'prom-client';
import { DurationHistogram, type DurationCell } from './duration-histogram.ts';
import { FAILED, WELL, type Flow } from './flow.ts';
import type { Flows } from './flows.ts';
import { LabelCounter } from './label-counter.ts';

const BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A call to a target that has ended. */
export interface MeasuredAttempt {
  readonly target?: string | undefined;
  readonly durationMs: number;
}

/** Attempts at the targets of upstreams. */
export class UpstreamMetrics {
  readonly #attempts: LabelCounter;
  readonly #retries: LabelCounter;
  readonly #refusedRetries: LabelCounter;
  readonly #hedges: LabelCounter;
  readonly #duration: DurationHistogram;
  readonly #durations = new Map<string, DurationCell>();
  readonly #flows: Flows;
  readonly #seen = new Map<string, { readonly all: Flow; readonly targets: Map<string, Flow> }>();

  constructor(registry: Registry, flows: Flows) {
    this.#flows = flows;
    const counter = (name: string, help: string, label: string): LabelCounter =>
      new LabelCounter(
        { name: `gatehouse_upstream_${name}_total`, help, labels: ['upstream', label] },
        registry,
      );
    this.#attempts = counter('attempts', 'Calls to targets of an upstream, by what came back.', 'outcome');
    this.#retries = counter(
      'retries',
      'Attempts that were made because another one failed, by how.',
      'reason',
    );
    this.#refusedRetries = counter(
      'retries_refused',
      'Attempts that were not made, by why: the budget is spent, or the wait before it would be too long.',
      'reason',
    );
    this.#hedges = counter(
      'hedges',
      'Second attempts beside slow first ones, by what became of them; refused ones were not made.',
      'outcome',
    );
    this.#duration = new DurationHistogram(
      {
        name: 'gatehouse_upstream_attempt_duration_seconds',
        help: 'Time of a call to a target until its outcome is known, which for an answer that streams is its head.',
        labels: ['upstream'],
        bounds: BOUNDS_SECONDS,
      },
      registry,
    );
  }

  /**
   * Counts one call to a target.
   *
   * @param attempt how long it took, and at which `host:port`; undefined where that was not measured.
   */
  attempted(upstream: string, outcome: string, attempt?: MeasuredAttempt): void {
    this.#attempts.count(upstream, outcome);
    if (attempt === undefined) return;
    const { durationMs } = attempt;
    this.#show(upstream, attempt.target, isFault(outcome), durationMs);
    let cell = this.#durations.get(upstream);
    if (cell === undefined) this.#durations.set(upstream, (cell = this.#duration.cell({ upstream })));
    cell.observe(durationMs / 1000);
  }

  /** Counts an attempt that is made because another one has failed. */
  retried(upstream: string, reason: string): void {
    this.#retries.count(upstream, reason);
  }

  /** Counts an attempt that would have been made, but for the budget or the time it would have to wait. */
  retryRefused(upstream: string, reason: 'budget' | 'wait'): void {
    this.#refusedRetries.count(upstream, reason);
  }

  /** Counts a second attempt beside a slow first one; `refused`: the budget is spent. */
  hedged(upstream: string, outcome: 'won' | 'lost' | 'failed' | 'refused'): void {
    this.#hedges.count(upstream, outcome);
  }

  /** Shows nothing more of upstreams that are gone. */
  forget(names: ReadonlySet<string>): void {
    for (const counter of [this.#attempts, this.#retries, this.#refusedRetries, this.#hedges])
      counter.forget(names);
    this.#duration.forget('upstream', names);
    for (const name of names) {
      this.#durations.delete(name);
      this.#seen.delete(name);
    }
  }

  /** Keeps nothing more of a target that is gone. */
  targetGone(upstream: string, target: string): void {
    this.#seen.get(upstream)?.targets.delete(target);
  }

  #show(upstream: string, target: string | undefined, isFaulty: boolean, durationMs: number): void {
    let seen = this.#seen.get(upstream);
    if (seen === undefined)
      this.#seen.set(upstream, (seen = { all: this.#flows.of('upstream', upstream), targets: new Map() }));
    const end = isFaulty ? FAILED : WELL;
    seen.all.count(durationMs, end);
    if (target === undefined) return;
    let flow = seen.targets.get(target);
    if (flow === undefined)
      seen.targets.set(target, (flow = this.#flows.of('target', `${upstream} ${target}`)));
    flow.count(durationMs, end);
  }
}

const LEAST_FAULT = '500';
/** What a client has brought about, or what was not waited for: no fault of the target. */
const NO_FAULTS: ReadonlySet<string> = new Set(['OK', 'CANCELLED', 'lost', 'not-sent', 'client-closed']);
/** What gRPC says of a request rather than of the service that it was made to. */
const ASKED_WRONG: ReadonlySet<string> = new Set([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
]);

// A status of HTTP, the name of one of gRPC, or the word for a fault.
function isFault(outcome: string): boolean {
  const first = outcome.charCodeAt(0);
  if (first >= 0x30 && first <= 0x39) return outcome >= LEAST_FAULT;
  return !NO_FAULTS.has(outcome) && !ASKED_WRONG.has(outcome);
}

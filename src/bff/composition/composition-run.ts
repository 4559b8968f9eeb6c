import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { SpanNote } from '../../telemetry/span-log.ts';
import type { Degradation, SectionHost, SectionOutcome, SectionPlan, SectionRun } from './section-run.ts';

/** What every run of a composed answer needs. */
export interface CompositionOptions {
  /** Name of the view or the route, for the metrics. */
  readonly name: string;
  /** How many sections there are. */
  readonly size: number;
  readonly exchange: Exchange;
  readonly metrics: Metrics;
}

/**
 * One run of a composed answer for one exchange. A section starts when it is first asked for, and only once;
 * sections that nobody asks for cost nothing. The cancellation of the exchange ends all that are under way.
 */
export abstract class CompositionRun<Run extends SectionRun> implements SectionHost {
  readonly exchange: Exchange;
  readonly #name: string;
  readonly #metrics: Metrics;
  readonly #runs: (Run | undefined)[];
  #pending = 0;

  constructor({ name, size, exchange, metrics }: CompositionOptions) {
    this.exchange = exchange;
    this.#name = name;
    this.#metrics = metrics;
    this.#runs = new Array<undefined>(size).fill(undefined);
  }

  /** Returns the run of the section at an index, and starts it on first use. */
  at(index: number): Run {
    return this.#runs[index] ?? this.#start(index);
  }

  /** The sections that have been asked for, in the order of the definition. */
  started(): readonly Run[] {
    return this.#runs.filter((run) => run !== undefined);
  }

  /**
   * Waits for what sections show. When one of them had to be there and failed, nothing else is wanted any more.
   *
   * @throws {Problem} of that section, or the reason of the cancellation of the exchange.
   */
  async shown(runs: readonly Run[]): Promise<readonly unknown[]> {
    try {
      return await Promise.all(runs.map((run) => run.shown()));
    } catch (error) {
      this.abandon(error);
      throw error;
    }
  }

  /** Ends all calls of the exchange, because its answer is settled: it says no. */
  abandon(reason: unknown): void {
    this.exchange.cancel(reason instanceof Problem ? reason : new Problem('internal', { cause: reason }));
  }

  ended(run: SectionRun, outcome: SectionOutcome): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.exchange.offCancel(this.#cancel);
    run.span?.end(outcome, outcome === 'failed' || outcome === 'null');
    this.#metrics.compositions.sectionEnded(this.#name, run.section.name, outcome, run.durationMs);
  }

  defect(section: SectionPlan, error: unknown): void {
    this.#metrics.compositions.sectionBroke(this.#name, section.name);
    this.logDefect(section, error);
  }

  /** Tells the operator of an error that is no problem, with its cause. */
  protected abstract logDefect(section: SectionPlan, error: unknown): void;

  /** What the run is a part of in the trace; undefined for the exchange. */
  protected get within(): SpanNote | undefined {
    return undefined;
  }

  /** Makes the run of a section; it is started by {@link at}. */
  protected abstract create(index: number): Run;

  #start(index: number): Run {
    const run = this.create(index);
    const { spans } = this.exchange.trace;
    if (spans !== undefined)
      run.span = spans.begin('section', `${this.#name}.${run.section.name}`, this.within);
    this.#runs[index] = run;
    this.#pending += 1;
    if (this.exchange.cancelled !== undefined) run.fail(this.exchange.cancelled);
    else {
      if (this.#pending === 1) this.exchange.onCancel(this.#cancel);
      run.start();
    }
    return run;
  }

  readonly #cancel = (reason: Problem): void => {
    for (const run of this.#runs) run?.fail(reason);
  };
}

/** What is not as it should be in a composed answer; empty when every section was served by its source. */
export function degradationsOf(runs: readonly SectionRun[]): readonly Degradation[] {
  return runs.flatMap(({ degradation }) => (degradation === undefined ? [] : [degradation]));
}

/** The value of `Server-Timing`: one metric per section. */
export function serverTimingOf(runs: readonly SectionRun[]): string {
  return runs.map(({ section, durationMs }) => `${section.name};dur=${Math.round(durationMs)}`).join(', ');
}

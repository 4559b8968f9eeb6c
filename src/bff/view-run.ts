import { Logger } from '@nestjs/common';
import type { Call, ServedPart } from '../clients/call.ts';
import type { Caller } from '../clients/caller.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { SectionRun, type SectionHost, type SectionOutcome } from './section-run.ts';
import type { Section } from './section.ts';

/** What every run needs; made once. */
export interface ViewParts {
  readonly caller: Caller;
  readonly metrics: Metrics;
}

/** The part of a view that a run uses; its types are erased, the face in front has checked them. */
export interface RunnableView {
  readonly name: string;
  readonly sections: readonly Section[];
  indexOf(name: string): number | undefined;
}

const logger = new Logger('View');

/**
 * One run of a view for one exchange. A section starts when it is first asked for, and only once; sections
 * that nobody asks for cost nothing. The cancellation of the exchange ends all that are under way.
 */
export class ViewRun implements SectionHost {
  readonly view: RunnableView;
  readonly input: unknown;
  readonly exchange: Exchange;
  readonly #parts: ViewParts;
  readonly #runs: (SectionRun | undefined)[];
  #pending = 0;

  constructor(view: RunnableView, input: unknown, exchange: Exchange, parts: ViewParts) {
    this.view = view;
    this.input = input;
    this.exchange = exchange;
    this.#parts = parts;
    this.#runs = new Array<undefined>(view.sections.length).fill(undefined);
  }

  /**
   * Returns the run of a section, and starts it on first use.
   *
   * @throws {Error} when the view has no such section: a defect of the caller.
   */
  section(name: string): SectionRun {
    const index = this.view.indexOf(name);
    const section = index === undefined ? undefined : this.view.sections[index];
    if (section === undefined) throw new Error(`the view ${this.view.name} has no section "${name}"`);
    return this.#runs[section.index] ?? this.#start(section);
  }

  /** The sections that have been asked for, in the order of the view. */
  started(): readonly SectionRun[] {
    return this.#runs.filter((run) => run !== undefined);
  }

  /** Ends all calls of the exchange, because its answer is settled: it says no. */
  abandon(reason: unknown): void {
    this.exchange.cancel(reason instanceof Problem ? reason : new Problem('internal', { cause: reason }));
  }

  resultFor(asking: Section, name: string): Promise<unknown> {
    const index = this.view.indexOf(name);
    if (index === undefined || index >= asking.index) {
      // Types forbid it; without types this is what keeps a run free of cycles.
      throw new Error(
        `section "${asking.name}" of the view ${this.view.name} asks for "${name}", which is not declared before it`,
      );
    }
    return this.section(name).result;
  }

  call<In, Out>(
    call: Call<In, Out>,
    input: In,
    timeoutMs: number,
    served?: (part: ServedPart) => void,
  ): Promise<Out> {
    return this.#parts.caller.call(call, input, { exchange: this.exchange, timeoutMs, served });
  }

  ended(run: SectionRun, outcome: SectionOutcome): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.exchange.offCancel(this.#cancel);
    this.#parts.metrics.sectionEnded(this.view.name, run.section.name, outcome);
  }

  defect(section: Section, error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    const text = `exchange ${this.exchange.id}: section "${section.name}" of the view ${this.view.name}: ${String(error)}`;
    logger.error(text, stack);
  }

  #start(section: Section): SectionRun {
    const run = new SectionRun(section, this);
    this.#runs[section.index] = run;
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

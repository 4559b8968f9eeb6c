import { Logger } from '@nestjs/common';
import type { Call, ServedPart } from '../calls/call.ts';
import type { Caller } from '../calls/caller.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { PlainFault } from '../telemetry/error-facts.ts';
import type { SpanNote } from '../telemetry/span-log.ts';
import { CompositionRun } from './composition/composition-run.ts';
import type { ObservedDependencies } from './observed-dependencies.ts';
import { ViewSectionRun, type SectionHost } from './view-section-run.ts';
import { refuseUnboundedCall } from './section-source.ts';
import type { Section } from './section.ts';
import type { SectionFilter, SectionFilters } from './view-guards.ts';
import { noteParent } from './view-parents.ts';
import { wholeOf, type Selection } from './view-selection.ts';

/** What every run needs; made once. */
export interface ViewDeps {
  readonly caller: Caller;
  readonly metrics: Metrics;
}

/** The part of a view that a run uses; its types are erased, the face in front has checked them. */
export interface RunnableView {
  readonly name: string;
  readonly sections: readonly Section[];
  readonly dependencies: ObservedDependencies;
  indexOf(name: string): number | undefined;
}

/** How a view is run. */
export interface RunMode {
  /** What is wanted of it; undefined: its sections are asked for one by one. */
  readonly selection: Selection | undefined;
  /** The section of another view that it runs for; undefined for the view of an answer. */
  readonly within: Section | undefined;
  /** When the time of that section ends, on the clock of `performance.now()`. */
  readonly endsAt: number;
  /** What it is a part of in the trace. Default the exchange. */
  readonly span?: SpanNote | undefined;
  /** What the caller may see; undefined: everything. */
  readonly filters?: SectionFilters | undefined;
  /** Whether it runs within a view of whose sections the caller may not see all. */
  readonly isJudged?: boolean;
}

const ONE_BY_ONE: RunMode = { selection: undefined, within: undefined, endsAt: Infinity };
const logger = new Logger('View');

/** One run of a view for one exchange. */
export class ViewRun extends CompositionRun<ViewSectionRun> implements SectionHost {
  readonly view: RunnableView;
  readonly input: unknown;
  /** Which list it is an element of, when that list was not made by a view. Set before its sections start. */
  elementOf: string | undefined = undefined;
  readonly deps: ViewDeps;
  readonly #mode: RunMode;

  constructor(
    view: RunnableView,
    input: unknown,
    exchange: Exchange,
    deps: ViewDeps,
    mode: RunMode = ONE_BY_ONE,
  ) {
    super({ name: view.name, size: view.sections.length, exchange, metrics: deps.metrics });
    this.view = view;
    this.input = input;
    this.deps = deps;
    this.#mode = mode;
  }

  /** What is wanted of the view. */
  get selection(): Selection {
    return this.#mode.selection ?? wholeOf(this.view);
  }

  get isWhole(): boolean {
    return this.#mode.selection !== undefined;
  }

  /** Whether what is shown depends on who asks. */
  get isGuarded(): boolean {
    return this.#mode.filters !== undefined;
  }

  /** What of a section may be seen; undefined: all of it. */
  filterOf({ index }: Section): SectionFilter | undefined {
    return this.#mode.filters?.get(index);
  }

  /** Whether a section that was started has not ended. */
  get isPending(): boolean {
    return this.started().some((run) => !run.hasEnded);
  }

  /**
   * Returns the run of a section, and starts it on first use.
   *
   * @throws {Error} when the view has no such section: a defect of the caller.
   */
  section(name: string): ViewSectionRun {
    const index = this.view.indexOf(name);
    if (index === undefined) throw new Error(`the view ${this.view.name} has no section "${name}"`);
    return this.at(index);
  }

  /** Runs what is selected and returns it by name; `null` stands for sections that failed alone. */
  values(): Promise<Record<string, unknown>> {
    return this.#valuesOf(this.selection);
  }

  /** The same for all sections, whatever is selected. */
  wholeValues(): Promise<Record<string, unknown>> {
    return this.#valuesOf(wholeOf(this.view));
  }

  /** Ends the sections that are under way; what they have to show instead is shown. */
  stop(reason: unknown): void {
    for (const run of this.started()) run.fail(reason);
  }

  /** Nothing of this view is wanted any more. What surrounds a nested view goes on. */
  override abandon(reason: unknown): void {
    if (this.#mode.within === undefined) super.abandon(reason);
    else this.stop(reason);
  }

  resultFor(asking: Section, name: string): Promise<unknown> {
    const index = this.view.indexOf(name);
    if (index === undefined || index >= asking.index) {
      // Types forbid it; without types this is what keeps a run free of cycles.
      throw new PlainFault(
        `section "${asking.name}" of the view ${this.view.name} asks for "${name}", which is not declared before it`,
      );
    }
    this.view.dependencies.note(asking.index, index);
    const run = this.at(index);
    const isComplete = this.isWhole && this.#mode.selection?.nested?.has(name) !== true;
    if (run.section.nested === undefined || isComplete) return run.result;
    return run.result.then(() => run.wholeChildren());
  }

  call<In, Out>(
    by: ViewSectionRun,
    call: Call<In, Out>,
    input: In,
    served?: (part: ServedPart) => void,
  ): Promise<Out> {
    const { within } = this.#mode;
    if (within?.many === true) refuseUnboundedCall(`section "${within.name}" over ${this.view.name}`, call);
    else if (this.elementOf !== undefined) refuseUnboundedCall(`${this.elementOf}: ${this.view.name}`, call);
    return this.deps.caller.call(call, input, {
      exchange: this.exchange,
      timeoutMs: by.remainingMs(),
      served,
      by,
      span: by.span,
    });
  }

  observe(section: Section, call: Call<never, unknown>): void {
    this.view.dependencies.noteCall(section.index, call);
  }

  nested(by: ViewSectionRun, view: RunnableView, input: unknown, limitMs: number): ViewRun {
    const { section } = by;
    const { selection } = this.#mode;
    const run = new ViewRun(view, input, this.exchange, this.deps, {
      selection: selection && (selection.nested?.get(section.name) ?? wholeOf(view)),
      within: this.#mode.within?.many === true ? this.#mode.within : section,
      span: by.span,
      isJudged: this.isGuarded || this.#mode.isJudged === true,
      endsAt: limitMs === Infinity ? Infinity : performance.now() + limitMs,
    });
    run.elementOf = this.elementOf;
    return run;
  }

  protected override logDefect(section: Section, error: unknown): void {
    const where = `section "${section.name}" of the view ${this.view.name}`;
    logger.error(`exchange ${this.exchange.id}: ${where} failed`, error);
  }

  protected override get within(): SpanNote | undefined {
    return this.#mode.span;
  }

  protected override create(index: number): ViewSectionRun {
    const section = this.view.sections[index] as Section;
    const { endsAt } = this.#mode;
    if (endsAt === Infinity) return new ViewSectionRun(section, this);
    const leftMs = Math.max(0, Math.ceil(endsAt - performance.now()));
    const budgetMs = Math.min(section.budgetMs, leftMs);
    return new ViewSectionRun(budgetMs === section.budgetMs ? section : { ...section, budgetMs }, this);
  }

  async #valuesOf({ names }: Selection): Promise<Record<string, unknown>> {
    const values = await this.shown(names.map((name) => this.section(name)));
    const body: Record<string, unknown> = {};
    names.forEach((name, index) => (body[name] = values[index]));
    if (this.#mode.isJudged === true) noteParent(body, this);
    return body;
  }
}

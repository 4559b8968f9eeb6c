import type { Call, ServedPart } from '../calls/call.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import {
  SectionRun as ComposedSectionRun,
  type SectionHost as ComposedSectionHost,
} from './composition/section-run.ts';
import { isCodeDefect } from './composition/code-defect.ts';
import { Freshness, NOT_FRESH } from './composition/freshness.ts';
import { allFailed, outcomesOf, within, type ElementFault } from './section-parts.ts';
import type { RunScope, Section } from './section.ts';
import type { SectionFilter } from './view-guards.ts';
import { parentOfSections } from './view-parents.ts';
import type { RunnableView, ViewRun } from './view-run.ts';

/** What a section of a view needs of the run that it belongs to. */
export interface SectionHost extends ComposedSectionHost {
  readonly input: unknown;
  /** Whether whole values are wanted of nested views; else their runs, for who asks section by section. */
  readonly isWhole: boolean;
  readonly view: RunnableView;
  /** The result of a section that `asking` may depend on. */
  resultFor(asking: Section, name: string): Promise<unknown>;
  /**
   * Makes a call for a section.
   *
   * @param served hears how a call with a cache or a fallback of its own was served.
   */
  call<In, Out>(
    by: ViewSectionRun,
    call: Call<In, Out>,
    input: In,
    served?: (part: ServedPart) => void,
  ): Promise<Out>;
  /** Takes note of a call that the function of a section makes. */
  observe(section: Section, call: Call<never, unknown>): void;
  /** Makes the run of a view within a section. */
  nested(by: ViewSectionRun, view: RunnableView, input: unknown, limitMs: number): ViewRun;
  /** What of a section its caller may see; undefined: all of it. */
  filterOf(section: Section): SectionFilter | undefined;
}

/** One section of one run of a view; it is the scope that its source sees. */
export class ViewSectionRun extends ComposedSectionRun<Section> implements RunScope {
  /** The runs of nested views: one, or one per element. */
  children: readonly ViewRun[] | undefined = undefined;
  /** The elements of a list that failed alone. */
  faults: readonly ElementFault[] | undefined = undefined;
  /** What is known of the calls of this section; undefined while it has made none. */
  freshness: Freshness | undefined = undefined;
  /** Whether something is `null` because the caller may not see it. */
  isWithheld = false;
  readonly #host: SectionHost;

  constructor(section: Section, host: SectionHost) {
    super(section, host);
    this.#host = host;
  }

  /** The section by its view, for logs. */
  get place(): string {
    return `${this.#host.view.name}.${this.section.name}`;
  }

  get input(): unknown {
    return this.#host.input;
  }

  get exchange(): Exchange {
    return this.#host.exchange;
  }

  get get(): (name: string) => Promise<unknown> {
    return (name) => this.#host.resultFor(this.section, name);
  }

  get call(): <In, Out>(call: Call<In, Out>, input: In) => Promise<Out> {
    return (call, input) => this.#call(call, input);
  }

  async callEach(call: Call<unknown, unknown>, inputs: readonly unknown[]): Promise<readonly unknown[]> {
    const [values, faults] = await outcomesOf(inputs, (input) => this.#call(call, input));
    this.faults = faults;
    const reason = allFailed(inputs.length, faults);
    if (reason !== undefined) throw reason;
    return values;
  }

  nest(view: RunnableView, input: unknown): unknown {
    const child = this.#host.nested(this, view, input, this.remainingMs());
    this.children = [child];
    if (!this.#host.isWhole) return child;
    return child.values().catch((error: unknown) => {
      throw within(this.section.name, error);
    });
  }

  nestEach(view: RunnableView, inputs: readonly unknown[]): unknown {
    const limitMs = this.remainingMs();
    this.children = inputs.map((input) => this.#host.nested(this, view, input, limitMs));
    return this.#host.isWhole ? this.#elements(this.children) : this.children;
  }

  /** The whole values of the nested runs, whatever part of them the client selected. */
  wholeChildren(): Promise<unknown> {
    const [only] = this.children ?? [];
    if (this.section.many) return this.#elements(this.children ?? []);
    return only === undefined ? this.result : only.wholeValues();
  }

  /**
   * Ends the section. When its time is up while nested sections are under way, only those end, and the section
   * shows what the others brought.
   */
  override fail(error: unknown): void {
    const open = this.hasEnded ? [] : (this.children?.filter((child) => child.isPending) ?? []);
    if (open.length === 0) return super.fail(error);
    for (const child of open) child.stop(error);
  }

  /** What is shown: what the caller may see, and of that the picked part. */
  override shown(): Promise<unknown> {
    const shown = super.shown();
    const filter = this.#host.filterOf(this.section);
    // Before it is picked: a mask knows the names of the fields, not those that the function gives them.
    const seen = filter === undefined ? shown : shown.then((value) => this.#seen(value, filter));
    return this.section.pick === undefined ? seen : seen.then((value) => this.#picked(value));
  }

  /** The picked part of the whole value, for a face that tells a failure from `null`: rejects when either fails. */
  async picked(): Promise<unknown> {
    const value = await this.result;
    const isRun = this.section.nested !== undefined && !this.#host.isWhole && this.degradation === undefined;
    return this.#pick(isRun ? await this.wholeChildren() : value);
  }

  protected override load(): unknown {
    return this.section.load(this);
  }

  #seen(value: unknown, filter: SectionFilter): unknown {
    const { name, required } = this.section;
    // It has failed, and says so: there is nothing to hide.
    if (value === null && this.degradation !== undefined) return null;
    const { value: seen, withheld } = filter(value, parentOfSections(this));
    if (withheld === 'all' && required)
      throw new Problem('permission-denied', { extensions: { section: name } });
    this.isWithheld = withheld !== undefined;
    return seen;
  }

  #picked(value: unknown): unknown {
    try {
      return this.#pick(value);
    } catch (error) {
      const { name, required } = this.section;
      if (required || !(error instanceof Problem) || isCodeDefect(error)) throw error;
      this.degradation = { section: name, code: error.code, via: 'null' };
      return null;
    }
  }

  #pick(value: unknown): unknown {
    const { name, pick } = this.section;
    if (value === null) return null;
    try {
      return pick?.(value);
    } catch (error) {
      this.#host.defect(this.section, error);
      throw new Problem('internal', { cause: error, extensions: { section: name } });
    }
  }

  async #elements(children: readonly ViewRun[]): Promise<readonly unknown[]> {
    const [values, faults] = await outcomesOf(children, (child) => child.values()).catch((error: unknown) => {
      throw within(this.section.name, error);
    });
    this.faults = faults;
    const reason = allFailed(children.length, faults);
    if (reason !== undefined) throw within(this.section.name, reason);
    return values;
  }

  #call<In, Out>(call: Call<In, Out>, input: In): Promise<Out> {
    const { plan } = call;
    if (this.section.isOpen) this.#host.observe(this.section, call);
    if (plan?.cache === undefined) {
      this.freshness = NOT_FRESH;
      if (plan?.fallback === undefined) return this.#host.call(this, call, input);
    } else if (this.freshness !== NOT_FRESH) (this.freshness ??= new Freshness()).expect();
    const served = (part: ServedPart): void => this.#served(part);
    return this.#host.call(this, call, input, served);
  }

  /** A section that shows the fallback of a call, or a stale value, is degraded like one with its own fallback. */
  #served(part: ServedPart): void {
    if (this.hasEnded) return;
    if (this.freshness !== undefined && this.freshness !== NOT_FRESH) this.freshness.hear(part);
    this.standIn(part);
  }
}

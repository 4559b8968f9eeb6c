import { duration } from '../config/units.ts';
import type { Call } from '../calls/call.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { SectionPlan } from './composition/section-run.ts';
import type { RunnableView } from './view-run.ts';

/** A duration as text, such as `250ms` or `2s`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h'}`;

/** What the source of a section may use. */
export interface SectionScope<Input, Results> {
  readonly input: Input;
  readonly exchange: Exchange;
  /**
   * Returns the result of a section that was declared earlier. Waiting for it is what makes it a dependency;
   * it rejects when that section failed and has no fallback, and then this section degrades as well.
   */
  readonly get: <Name extends keyof Results & string>(name: Name) => Promise<Results[Name]>;
  /** Makes a call that ends with what is left of the budget of this section. */
  readonly call: <In, Out>(call: Call<In, Out>, input: In) => Promise<Out>;
}

/** How a section is run. */
export interface SectionOptions {
  /** Longest time the section may take, its dependencies included. Default: the deadline of the exchange. */
  readonly budget?: Duration;
}

/** How a section is run that has something to show when its source fails. */
export interface FallbackOptions<Result> extends SectionOptions {
  /** Makes what stands in; must not throw. */
  readonly fallback: () => Result;
}

/** The scope with its types erased; the builder has checked them. */
export type ErasedScope = SectionScope<unknown, Record<string, unknown>>;

/** What a section offers to a source that is more than a function: another view, or a list. */
export interface RunScope extends ErasedScope {
  /** Makes a call for each input; a call that fails alone is `null`. */
  callEach(call: Call<unknown, unknown>, inputs: readonly unknown[]): Promise<readonly unknown[]>;
  /** Runs another view within this section. */
  nest(view: RunnableView, input: unknown): unknown;
  /** Runs another view for each input; one that fails alone is `null`. */
  nestEach(view: RunnableView, inputs: readonly unknown[]): unknown;
}

/** What the source of a section is, as data. */
export interface SectionSource {
  /** The call that the source is; undefined when it composes calls or computes. */
  readonly source: Call<unknown, unknown> | undefined;
  /** The call that is made for each element of a list. */
  readonly element: Call<unknown, unknown> | undefined;
  /** The view that the source runs, or runs per element. */
  readonly nested: RunnableView | undefined;
  /** Whether the section is a list, with a call or a view for each element. */
  readonly many: boolean;
  /** Whether the source is a function, so that only its runs show which calls it makes. */
  readonly isOpen: boolean;
  /** Starts the source; answers with a value or a promise of it. */
  readonly load: (scope: RunScope) => unknown;
}

/** One section of a view as data. */
export interface Section extends SectionPlan, SectionSource {
  /** Place in the view; a section can only ask for those before it. */
  readonly index: number;
  /** Whether it only runs when another section asks for it, and is not shown. */
  readonly hidden: boolean;
  /** Makes what is shown of the value; undefined shows all of it. */
  readonly pick: ((value: unknown) => unknown) | undefined;
}

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/**
 * Checks a declared section.
 *
 * @throws {Error} naming view and section when the name or the budget makes no sense.
 */
export function createSection(
  view: string,
  section: Omit<Section, 'budgetMs'>,
  options: SectionOptions,
): Section {
  const where = `section "${section.name}" of the view ${view}`;
  if (!NAME.test(section.name)) {
    throw new Error(`${where}: expected a name of letters, digits and "_" that starts with a letter`);
  }
  if (section.name === 'degraded')
    throw new Error(`${where}: the answer uses this name to list degraded sections`);
  return Object.freeze({ ...section, budgetMs: budgetOf(where, options.budget) });
}

function budgetOf(where: string, budget: string | undefined): number {
  if (budget === undefined) return Infinity;
  const parsed = duration.safeParse(budget);
  if (!parsed.success || parsed.data <= 0) {
    throw new Error(`${where}: expected a budget such as "250ms" or "2s", got "${budget}"`);
  }
  return parsed.data;
}

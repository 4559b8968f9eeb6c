import type { Call } from '../calls/call.ts';
import type { ExposedView, ExposeOptions, QuerySchemas } from './exposed-view.ts';
import { areCollected, refuseDeclaration } from '../config/code-ledger.ts';
import { ObservedDependencies } from './observed-dependencies.ts';
import { listOf, sourceOf, type SourceArguments } from './section-source.ts';
import { createSection, type FallbackOptions, type Section, type SectionSource } from './section.ts';
import type { SectionOptions, SectionScope } from './section.ts';
import type { RunnableView } from './view-run.ts';
import { ViewVariants, type ClientKind, type KindViews, type Shape } from './view-variants.ts';

type Promised<Value> = Value | Promise<Value>;

/** Makes the input of a call from the input of the view and from earlier sections. */
export type CallInput<Input, Results, In> = (scope: SectionScope<Input, Results>) => Promised<In>;

/** A source that is not a single call: composes calls, maps what they return, or computes. */
export type Source<Input, Results, Result> = (scope: SectionScope<Input, Results>) => Promised<Result>;

/** The name of a new section; a name that is taken has the type `never`. */
type NewName<Name extends string, Results> = Exclude<Name, keyof Results | 'degraded'>;

/** What a view shows when all of it is served: `null` only where a section has no fallback. */
export type ViewValues<Of> =
  Of extends View<infer _Input, infer Results, infer Nullable>
    ? { [Name in keyof Results]: Name extends Nullable ? Results[Name] | null : Results[Name] }
    : never;

/** What a view is run with. */
export type ViewInput<Of> = Of extends View<infer Input, infer _Results, infer _Nullable> ? Input : never;

/** What a section can be made of. */
type AnySource<Input, Results> = Call<never, unknown> | RunnableView | Source<Input, Results, unknown>;

/** What a source comes to. */
type ResultOf<Of> =
  Of extends Call<never, infer Result>
    ? Result
    : Of extends RunnableView
      ? ViewValues<Of>
      : Of extends (...args: never[]) => infer Result
        ? Awaited<Result>
        : never;

/**
 * What goes with a source, whatever kind it is of: the last overload of each method, which fits nothing that those before it do
 * not fit. The compiler says of a declaration that fits none of them what keeps the last one from it.
 */
type Beside<Of, Input, Results, Options> =
  Of extends Call<infer In, unknown>
    ? [input: CallInput<Input, Results, In>, options?: Options]
    : Of extends RunnableView
      ? [input: CallInput<Input, Results, ViewInput<Of>>, options?: SectionOptions]
      : [options?: Options];

/** The same of a list, whose source is no function. */
type BesideList<Of, Input, Results, Options> =
  Of extends Call<infer In, unknown>
    ? [inputs: CallInput<Input, Results, readonly In[]>, options?: Options]
    : [inputs: CallInput<Input, Results, readonly ViewInput<Of>[]>, options?: SectionOptions];

/** Options of a section that may have a fallback. */
type MaybeFallback<Result> = SectionOptions & Partial<FallbackOptions<Result>>;

/** What a list shows: elements that fail alone are `null`. */
type Elements<Result> = readonly (Result | null)[];

/**
 * A typed composition of calls: named sections, each with its own source, budget and fallback. One definition
 * has two faces: REST serves it whole, GraphQL section by section. Sections run in parallel; a section waits
 * for another one only where its source awaits `get(name)`. A view is immutable: each method returns a new one.
 *
 * @typeParam Results what each section's source returns.
 * @typeParam Nullable the names of the sections that are `null` when their source fails.
 */
export class View<Input, Results extends object, Nullable extends string> implements RunnableView {
  readonly name: string;
  readonly sections: readonly Section[];
  readonly dependencies = new ObservedDependencies();
  readonly #indexes: ReadonlyMap<string, number>;
  /** Carries the types; has no value. */
  declare readonly types?: {
    readonly results: Results;
    readonly nullable: Nullable;
    input(input: Input): void;
  };

  private constructor(name: string, sections: readonly Section[]) {
    this.name = name;
    this.sections = sections;
    this.#indexes = new Map(sections.map((section) => [section.name, section.index]));
  }

  /** Starts the definition of a view. The name appears in metrics and in messages. */
  static define(name: string): { input<Input>(): View<Input, object, never> } {
    return { input: <Input>() => new View<Input, object, never>(name, Object.freeze([])) };
  }

  /** Place of a section; undefined when there is none of that name. */
  indexOf(name: string): number | undefined {
    return this.#indexes.get(name);
  }

  /**
   * Adds a section without which the view is worth nothing: when it fails, the view answers with its problem.
   * Its source is a call, another view, or a function.
   */
  required<Name extends string, In, Result>(
    name: NewName<Name, Results>,
    call: Call<In, Result>,
    input: CallInput<Input, Results, NoInfer<In>>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, Result>, Nullable>;
  required<Name extends string, In, Inner extends object, Null extends string>(
    name: NewName<Name, Results>,
    view: View<In, Inner, Null>,
    input: CallInput<Input, Results, NoInfer<In>>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, ViewValues<View<In, Inner, Null>>>, Nullable>;
  required<Name extends string, Result>(
    name: NewName<Name, Results>,
    source: Source<Input, Results, Result>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, Result>, Nullable>;
  required<Name extends string, Of extends AnySource<Input, Results>>(
    name: NewName<Name, Results>,
    source: Of,
    ...beside: Beside<Of, Input, Results, SectionOptions>
  ): View<Input, Results & Record<Name, ResultOf<Of>>, Nullable>;
  required(name: string, ...source: unknown[]): View<Input, Results, Nullable> {
    return this.#with(name, true, () => sourceOf(source as SourceArguments));
  }

  /**
   * Adds a section that may fail alone: its fallback stands in, or `null` when it has none. A section that is
   * another view has no fallback as a whole, because its own sections have theirs; it is `null` when one fails
   * that it requires.
   */
  section<Name extends string, In, Result>(
    name: NewName<Name, Results>,
    call: Call<In, Result>,
    input: CallInput<Input, Results, NoInfer<In>>,
    options: FallbackOptions<NoInfer<Result>>,
  ): View<Input, Results & Record<Name, Result>, Nullable>;
  section<Name extends string, In, Result>(
    name: NewName<Name, Results>,
    call: Call<In, Result>,
    input: CallInput<Input, Results, NoInfer<In>>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, Result>, Nullable | Name>;
  section<Name extends string, In, Inner extends object, Null extends string>(
    name: NewName<Name, Results>,
    view: View<In, Inner, Null>,
    input: CallInput<Input, Results, NoInfer<In>>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, ViewValues<View<In, Inner, Null>>>, Nullable | Name>;
  section<Name extends string, Result>(
    name: NewName<Name, Results>,
    source: Source<Input, Results, Result>,
    options: FallbackOptions<NoInfer<Result>>,
  ): View<Input, Results & Record<Name, Result>, Nullable>;
  section<Name extends string, Result>(
    name: NewName<Name, Results>,
    source: Source<Input, Results, Result>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, Result>, Nullable | Name>;
  section<Name extends string, Of extends AnySource<Input, Results>>(
    name: NewName<Name, Results>,
    source: Of,
    ...beside: Beside<Of, Input, Results, MaybeFallback<ResultOf<Of>>>
  ): View<Input, Results & Record<Name, ResultOf<Of>>, Nullable | Name>;
  section(name: string, ...source: unknown[]): View<Input, Results, Nullable> {
    return this.#with(name, false, () => sourceOf(source as SourceArguments));
  }

  /**
   * Adds a section with a call, or a view, for each element of a list. An element that fails alone is `null`;
   * when all of them fail, the section does.
   *
   * @throws {Error} when a call would be made once per element that has neither `batch` nor `each`.
   */
  list<Name extends string, In, Result>(
    name: NewName<Name, Results>,
    call: Call<In, Result>,
    inputs: CallInput<Input, Results, readonly NoInfer<In>[]>,
    options: FallbackOptions<Elements<NoInfer<Result>>>,
  ): View<Input, Results & Record<Name, Elements<Result>>, Nullable>;
  list<Name extends string, In, Result>(
    name: NewName<Name, Results>,
    call: Call<In, Result>,
    inputs: CallInput<Input, Results, readonly NoInfer<In>[]>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, Elements<Result>>, Nullable | Name>;
  list<Name extends string, In, Inner extends object, Null extends string>(
    name: NewName<Name, Results>,
    view: View<In, Inner, Null>,
    inputs: CallInput<Input, Results, readonly NoInfer<In>[]>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, Elements<ViewValues<View<In, Inner, Null>>>>, Nullable | Name>;
  list<Name extends string, Of extends Call<never, unknown> | RunnableView>(
    name: NewName<Name, Results>,
    source: Of,
    ...beside: BesideList<Of, Input, Results, MaybeFallback<Elements<ResultOf<Of>>>>
  ): View<Input, Results & Record<Name, Elements<ResultOf<Of>>>, Nullable | Name>;
  list(name: string, ...source: unknown[]): View<Input, Results, Nullable> {
    const where = `section "${name}" of the view ${this.name}`;
    return this.#with(name, false, () => listOf(where, source as Parameters<typeof listOf>[1]));
  }

  /**
   * Lets kinds of clients see the view in other shapes: without sections, with less of a section, or as another
   * view of the same input. Clients of an unknown kind see the view itself.
   */
  variants<Kinds extends KindViews<Input, Results, Nullable>>(
    by: ClientKind,
    kinds: Kinds,
  ): ViewVariants<Input, Results, Nullable, Kinds> {
    return new ViewVariants(this, by, kinds, (shape) => this.#shaped(shape));
  }

  /**
   * Says where the view is offered: `exposedViews(…)` makes the handler and the resolver that forward to it. What it needs
   * of a class of its own, an `@ObjectType` or a controller, can still be written.
   */
  expose<Path extends string, Query extends QuerySchemas = Record<never, never>>(
    options: ExposeOptions<Input, Results, Nullable, Path, Query>,
  ): ExposedView {
    return { view: this, shapes: this, options } as unknown as ExposedView;
  }

  #shaped({ hidden, picks }: Shape): View<Input, object, string> {
    const sections = this.sections.map((section) =>
      Object.freeze({
        ...section,
        hidden: section.hidden || hidden.has(section.name),
        pick: picks.get(section.name) ?? section.pick,
      }),
    );
    return new View<Input, object, string>(this.name, Object.freeze(sections));
  }

  #with(name: string, required: boolean, source: ReadSource): View<Input, Results, Nullable> {
    const section = declaredSection(`section "${name}" of the view ${this.name}`, () => {
      if (this.#indexes.has(name)) throw new Error(`the view ${this.name} has a section "${name}" already`);
      const [read, options] = source();
      const { fallback } = options;
      const place = { name, index: this.sections.length, required, fallback, hidden: false, pick: undefined };
      return createSection(this.name, { ...place, ...read }, options);
    });
    if (section === undefined) return this;
    return new View(this.name, Object.freeze([...this.sections, section]));
  }
}

type ReadSource = () => [source: SectionSource, options: Partial<FallbackOptions<unknown>>];

/** @returns undefined for one that makes no sense, while declarations are collected: the gateway does not start then. */
function declaredSection(where: string, make: () => Section): Section | undefined {
  if (!areCollected()) return make();
  try {
    return make();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const message = said.startsWith(where) || said.startsWith('the view') ? said : `${where}: ${said}`;
    refuseDeclaration([{ file: 'views', key: '', message, code: { name: '' } }]);
    return undefined;
  }
}

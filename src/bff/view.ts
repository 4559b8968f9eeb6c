import type { Call } from '../clients/call.ts';
import { createSection, type ErasedScope, type FallbackOptions, type Section } from './section.ts';
import type { SectionOptions, SectionScope } from './section.ts';

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

/**
 * A typed composition of calls: named sections, each with its own source, budget and fallback. One definition
 * has two faces: REST serves it whole, GraphQL section by section. Sections run in parallel; a section waits
 * for another one only where its source awaits `get(name)`. A view is immutable: each method returns a new one.
 *
 * @typeParam Results what each section's source returns.
 * @typeParam Nullable the names of the sections that are `null` when their source fails.
 */
export class View<Input, Results extends object, Nullable extends string> {
  readonly name: string;
  readonly sections: readonly Section[];
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

  /** Adds a section without which the view is worth nothing: when it fails, the view answers with its problem. */
  required<Name extends string, In, Result>(
    name: NewName<Name, Results>,
    call: Call<In, Result>,
    input: CallInput<Input, Results, NoInfer<In>>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, Result>, Nullable>;
  required<Name extends string, Result>(
    name: NewName<Name, Results>,
    source: Source<Input, Results, Result>,
    options?: SectionOptions,
  ): View<Input, Results & Record<Name, Result>, Nullable>;
  required(name: string, ...source: unknown[]): View<Input, Results, Nullable> {
    return this.#with(name, true, source as SourceArguments);
  }

  /** Adds a section that may fail alone: its fallback stands in, or `null` when it has none. */
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
  section(name: string, ...source: unknown[]): View<Input, Results, Nullable> {
    return this.#with(name, false, source as SourceArguments);
  }

  #with(name: string, required: boolean, source: SourceArguments): View<Input, Results, Nullable> {
    if (this.#indexes.has(name)) throw new Error(`the view ${this.name} has a section "${name}" already`);
    const options = (isCallSource(source) ? source[2] : source[1]) ?? {};
    const section = {
      name,
      index: this.sections.length,
      required,
      fallback: options.fallback,
      source: isCallSource(source) ? source[0] : undefined,
      load: loadOf(source),
    };
    return new View(this.name, Object.freeze([...this.sections, createSection(this.name, section, options)]));
  }
}

type AnyOptions = Partial<FallbackOptions<unknown>>;
type CallSource = [
  call: Call<unknown, unknown>,
  input: (scope: ErasedScope) => unknown,
  options?: AnyOptions,
];
/** The overloads with their types erased; they have checked what the implementation relies on. */
type SourceArguments = CallSource | [source: (scope: ErasedScope) => unknown, options?: AnyOptions];

function isCallSource(source: SourceArguments): source is CallSource {
  return typeof source[0] !== 'function';
}

function loadOf(source: SourceArguments): Section['load'] {
  if (!isCallSource(source)) return source[0];
  const [call, toInput] = source;
  return (scope) => {
    const input = toInput(scope);
    // Without a dependency the call starts in the same turn of the loop.
    return input instanceof Promise
      ? input.then((ready) => scope.call(call, ready))
      : scope.call(call, input);
  };
}

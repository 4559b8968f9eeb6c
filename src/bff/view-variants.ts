import type { RunnableView } from './view-run.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { ExposedView, ExposeOptions, QuerySchemas } from './exposed-view.ts';
import type { View, ViewValues } from './view.ts';

/** Tells which kind of client a request comes from. */
export interface ClientKind {
  /** Undefined, or a kind that a view knows nothing of: the default. */
  of(exchange: Exchange): string | undefined;
  /** The request header field that decides; caches must tell requests apart by it. */
  readonly vary: string | undefined;
}

/** Tells the kind of client by a header field, such as `x-device: mobile`; its case does not matter. */
export function kindByHeader(name: string): ClientKind {
  const field = name.toLowerCase();
  return {
    vary: field,
    of({ request }) {
      const value = request.headers[field];
      return typeof value === 'string' ? value.trim().toLowerCase() : undefined;
    },
  };
}

/** Tells the kind of client by a segment of the path, counted from 0: `/api/mobile/homepage` has it at 1. */
export function kindByPath(segment: number): ClientKind {
  return { vary: undefined, of: ({ path }) => path.split('/')[segment + 1]?.toLowerCase() };
}

/** What a kind of client sees of the sections of a view; immutable. */
export class Shape<Results extends object = object, Nullable extends string = string> {
  readonly hidden: ReadonlySet<string>;
  readonly picks: ReadonlyMap<string, (value: unknown) => unknown>;
  /** Carries the types; has no value. */
  declare readonly types?: { readonly results: Results; readonly nullable: Nullable };

  constructor(hidden: Shape['hidden'] = new Set(), picks: Shape['picks'] = new Map()) {
    this.hidden = hidden;
    this.picks = picks;
  }

  /** Leaves sections out. One that another section asks for still runs. */
  without<Name extends keyof Results & string>(
    ...names: readonly Name[]
  ): Shape<Omit<Results, Name>, Exclude<Nullable, Name>> {
    return new Shape(new Set([...this.hidden, ...names]), this.picks);
  }

  /** Shows less of a section, of its fallback too. Other sections still see all of it. */
  pick<Name extends keyof Results & string, Picked>(
    name: Name,
    map: (value: Results[Name]) => Picked,
  ): Shape<Omit<Results, Name> & Record<Name, Picked>, Nullable> {
    return new Shape(this.hidden, new Map([...this.picks, [name, map as (value: unknown) => unknown]]));
  }
}

/** What kinds of clients see: a shape of the view, or another view of the same input. */
export type KindViews<Input, Results extends object, Nullable extends string> = Readonly<
  Record<string, View<Input, object, string> | ((view: Shape<Results, Nullable>) => Shape)>
>;

type KindValues<Kind> = Kind extends (...args: never) => Shape<infer Results, infer Nullable>
  ? { [Name in keyof Results]: Name extends Nullable ? Results[Name] | null : Results[Name] }
  : ViewValues<Kind>;

/** A view in all its shapes, whatever these are. */
export interface AnyVariants {
  readonly default: RunnableView;
  readonly views: ReadonlyMap<string, RunnableView>;
  readonly by: ClientKind;
}

/** A view in the shapes that kinds of clients see it in; same calls, same name in metrics. */
export class ViewVariants<Input, Results extends object, Nullable extends string, Kinds> {
  /** What clients of an unknown kind see. */
  readonly default: View<Input, Results, Nullable>;
  /** The views by kind, without the default. */
  readonly views: ReadonlyMap<string, View<Input, object, string>>;
  readonly by: ClientKind;
  /** Carries the types; has no value. */
  declare readonly types?: {
    readonly values:
      | ViewValues<View<Input, Results, Nullable>>
      | { [Kind in keyof Kinds]: KindValues<Kinds[Kind]> }[keyof Kinds];
    readonly kinds: { [Kind in keyof Kinds]: KindValues<Kinds[Kind]> };
    input(input: Input): void;
  };

  constructor(
    view: View<Input, Results, Nullable>,
    by: ClientKind,
    kinds: Kinds & KindViews<Input, Results, Nullable>,
    shaped: (shape: Shape) => View<Input, object, string>,
  ) {
    this.default = view;
    this.by = by;
    const entries = Object.entries<KindViews<Input, Results, Nullable>[string]>(kinds);
    this.views = new Map(
      entries.map(([kind, of]) => [
        kind.toLowerCase(),
        typeof of === 'function' ? shaped(of(new Shape<Results, Nullable>())) : of,
      ]),
    );
  }

  /** As {@link View.expose}; GraphQL shows the view of no kind, whose clients choose by their query. */
  expose<Path extends string, Query extends QuerySchemas = Record<never, never>>(
    options: ExposeOptions<Input, Results, Nullable, Path, Query>,
  ): ExposedView {
    return { view: this.default, shapes: this, options } as unknown as ExposedView;
  }

  /** The view that the client of an exchange sees. */
  for(exchange: Exchange): View<Input, object, string> | View<Input, Results, Nullable> {
    const kind = this.by.of(exchange);
    return (kind === undefined ? undefined : this.views.get(kind)) ?? this.default;
  }
}

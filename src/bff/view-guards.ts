import { Injectable } from '@nestjs/common';
import type { Exchange } from '../exchange/exchange.ts';
import type { ViewParent } from './view-parents.ts';
import type { Selection } from './view-selection.ts';
import type { RunnableView } from './view-run.ts';

/** What a caller may see of a section. */
export interface Visible {
  readonly value: unknown;
  /** `part`: something inside is `null` because the caller may not see it; `all`: the section is. */
  readonly withheld: 'part' | 'all' | undefined;
}

/** Tells what a caller may see of the value of a section, given what conditions see of its view. */
export type SectionFilter = (value: unknown, parent: ViewParent) => Visible;

/** The filters of the sections of a view, by their index; absent for one that the caller may see all of. */
export type SectionFilters = ReadonlyMap<number, SectionFilter>;

/** Keeps from the REST face of a view what its GraphQL face keeps from somebody. */
export interface ViewGuard {
  /** Why it cannot do so, naming view, type and field. */
  readonly faults: readonly string[];
  /**
   * Finds out what the caller may see. Synchronous while the stages are.
   *
   * @throws {Problem} `permission-denied` where `graphql.denied` says that it costs the whole answer; whatever else a
   * stage throws: what could not be checked is not shown.
   */
  filtersFor(exchange: Exchange, selection: Selection): SectionFilters | Promise<SectionFilters>;
}

/** The guards of views. Filled by the GraphQL door, whose types say what is protected. */
@Injectable()
export class ViewGuards {
  #guardOf: ((view: RunnableView) => ViewGuard | undefined) | undefined = undefined;

  /** Takes over what the types of a schema say. */
  protect(guardOf: (view: RunnableView) => ViewGuard | undefined): void {
    this.#guardOf = guardOf;
  }

  /** Whether there are types that say what is protected; not without a GraphQL door. */
  get isFilled(): boolean {
    return this.#guardOf !== undefined;
  }

  /** The guard of a view; undefined when everybody may see all of it. */
  of(view: RunnableView): ViewGuard | undefined {
    return this.#guardOf?.(view);
  }
}

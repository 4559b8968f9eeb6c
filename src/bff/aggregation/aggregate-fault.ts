import { TemplateError } from '../../template/template-error.ts';

/** Something wrong with an aggregated route: where, below `aggregate`, and what. */
export interface AggregateFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** Thrown for a text that cannot be compiled; whoever knows its place makes a fault of it. */
export class AggregateError extends TemplateError {
  override readonly name = 'AggregateError';
}

/** Collects the faults of one route, so that all are told at once. */
export class AggregateFaults {
  readonly all: AggregateFault[] = [];

  add(path: readonly (string | number)[], message: string, suggestion?: string): void {
    this.all.push({ path, message, suggestion });
  }

  /** Runs a part of the compilation; a fault of it is noted and gives undefined. */
  attempt<Result>(path: readonly (string | number)[], compile: () => Result): Result | undefined {
    try {
      return compile();
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      this.add(path, error.message, error.suggestion);
      return undefined;
    }
  }
}

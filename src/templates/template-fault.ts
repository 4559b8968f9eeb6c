import { nearestName } from '../config/nearest-name.ts';

/** Something wrong with an aggregated route: where, below `aggregate`, and what. */
export interface TemplateFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** Thrown for a text that cannot be compiled; whoever knows its place makes a fault of it. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly suggestion: string | undefined;

  /** @param about the name that was given and those that there are, for the nearest one. */
  constructor(message: string, about?: { readonly given: string; readonly known: readonly string[] }) {
    super(message);
    this.suggestion = about && nearestName(about.given, about.known);
  }
}

/** Collects the faults of one route, so that all are told at once. */
export class TemplateFaults {
  readonly all: TemplateFault[] = [];

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

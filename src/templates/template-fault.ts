import { nearestName } from '../config/nearest-name.ts';

/** Something wrong with an aggregated route: where, below `aggregate`, and what. */
export interface TemplateFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** What was given, and what there is: for the nearest name. */
export interface GivenName {
  readonly given: string;
  readonly known: readonly string[];
  /** What the known names follow on, such as `request.`. Default nothing. */
  readonly below?: string;
}

/** Thrown for a text that cannot be compiled; whoever knows its place makes a fault of it. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly suggestion: string | undefined;

  constructor(message: string, about?: GivenName) {
    super(message);
    const nearest = about && nearestName(about.given, about.known);
    this.suggestion = nearest === undefined ? undefined : `${about?.below ?? ''}${nearest}`;
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

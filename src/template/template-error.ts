import { nearestName } from '../config/nearest-name.ts';

/** What was given, and what there is: for the nearest name. */
export interface GivenName {
  readonly given: string;
  readonly known: readonly string[];
  /** What the known names follow on, such as `principal.`. Default nothing. */
  readonly below?: string;
}

/** Thrown for a template that cannot be compiled; whoever knows its place makes a fault of it. */
export class TemplateError extends Error {
  override readonly name: string = 'TemplateError';
  readonly suggestion: string | undefined;

  constructor(message: string, about?: GivenName) {
    super(message);
    const nearest = about && nearestName(about.given, about.known);
    this.suggestion = nearest === undefined ? undefined : `${about?.below ?? ''}${nearest}`;
  }
}

import { titleOf, type Resource } from '../resource.ts';

/** What is wrong with an object that has no conditions to say it in. */
export interface Remark {
  /** Absent where it is about several. */
  readonly of?: Resource;
  readonly message: string;
  /** Whether nothing of the object is served. */
  readonly isWhole?: true;
}

/** A remark for the log. */
export function remarkText({ of, message }: Remark): string {
  return of === undefined ? message : `${titleOf(of)}: ${message}`;
}

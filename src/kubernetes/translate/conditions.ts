import type { Condition } from '../resource.ts';

/** Something that is as it should be. */
export function holds(type: string, reason: string = type, message = ''): Condition {
  return { type, status: 'True', reason, message };
}

/** Something that is not. */
export function fails(type: string, reason: string, message: string): Condition {
  return { type, status: 'False', reason, message };
}

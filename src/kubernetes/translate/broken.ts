import { keyOf, type Resource } from '../resource.ts';

/** What was found wrong with objects when what they were made into was compiled: messages, by {@link brokenKey}. */
export type BrokenObjects = ReadonlyMap<string, string>;

/** The key that an object is known by. */
export function brokenKey(object: Pick<Resource, 'kind' | 'namespace' | 'name'>): string {
  return `${object.kind} ${keyOf(object)}`;
}

import type { KindName } from '../kinds.ts';
import type { Json, Resource } from '../resource.ts';

/** A status that is to be written. */
export interface StatusDraft {
  readonly kind: KindName;
  readonly of: Resource;
  readonly status: Json;
}

import type { Rewrite } from '../routing/rewrite.ts';
import type { ForwardDefinition } from './forward.source.ts';

/** A rewrite that puts something in the place of a literal prefix, which every path of the route begins with. */
export function replacedPrefix({ from, to }: NonNullable<ForwardDefinition['prefix']>): Rewrite {
  return {
    ...(to === '' && from !== '' ? { prefix: from } : {}),
    isTelling: false,
    apply: ({ path, query }) => (to + path.slice(from.length) || '/') + query,
  };
}

import type { Stage } from '../policies/stage.ts';
import type { Exchange } from './exchange.ts';
import type { HeadKind, Unopened } from './response-head.ts';

/** The stages that edit a head: those of its route, or of what no route answers. */
export function headStages({ route, snapshot }: Exchange | Unopened, kind: HeadKind): readonly Stage[] {
  if (route === undefined) return snapshot?.edge.unrouted ?? NO_STAGES;
  return kind === 'answer' ? route.heads.answers : route.heads.all;
}

const NO_STAGES: readonly Stage[] = Object.freeze([]);

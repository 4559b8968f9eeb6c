import type { Exchange } from '../exchange/exchange.ts';

/** What depends on the arguments of a field, or on the object that it is a field of. */
export interface FieldDecision {
  /** Whether it looks at the object. */
  readonly asksParent: boolean;
  /** Throws the problem that it refuses with. */
  decide(exchange: Exchange, args: Readonly<Record<string, unknown>>, parent: unknown): void;
}

/** What a stage can only decide where a field of GraphQL is resolved. */
export interface FieldStage {
  /** Absent for nothing. */
  readonly field?: FieldDecision | undefined;
}

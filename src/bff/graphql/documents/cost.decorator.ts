import { Extensions } from '@nestjs/graphql';

/** What a field or an object type costs. */
export interface CostOptions {
  /** On a type: what one object costs, default 1. On a field: what resolving it costs besides, default 0. */
  readonly weight?: number;
  /** How many items a list has when no slicing argument says so. */
  readonly listSize?: number;
  /** Arguments that say how many items a list has. Default `first`, `last` and `limit`. */
  readonly slicing?: readonly string[];
}

/** Under which name the options are found in the `extensions` of a type or field. */
export const COST_EXTENSION = 'gatehouseCost';

/** Says what a field, a resolver method or an object type costs an operation that selects it. */
export function Cost(options: CostOptions): MethodDecorator & ClassDecorator & PropertyDecorator {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'number' && !(value >= 0 && Number.isFinite(value)))
      throw new Error(`@Cost: expected ${name} to be a number from 0 on, got ${String(value)}`);
  }
  return Extensions({ [COST_EXTENSION]: options });
}

import { Extensions } from '@nestjs/graphql';
import { z } from 'zod';
import { declaredOptions } from '../../../policies/declared-options.ts';

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
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const place = { schema: costSchema, target, member: key, decorator: '@Cost' };
    if (declaredOptions('cost', options, place) === undefined) return;
    const extend = Extensions({ [COST_EXTENSION]: options }) as (...where: unknown[]) => void;
    extend(target, key, descriptor);
  };
}

const amount = z.number().min(0);

const costSchema = z.strictObject({
  weight: amount.optional(),
  listSize: amount.optional(),
  slicing: z.array(z.string()).readonly().optional(),
});

import { z } from 'zod';
import { authorizationPolicy } from '../../../policies/authorization/authorization.policy.ts';
import { declaredOptions } from '../../../policies/declared-options.ts';
import { notePlacement } from '../../../policies/placements.ts';
import { decorate } from '../../../policies/policy.ts';

/** Who sees the value of a field, and what everybody else sees. */
export interface MaskOptions {
  /** Who sees the value. */
  readonly unless: z.input<typeof authorizationPolicy.schema>;
  /** What the others see: of the type of the field. Default `null`, which only a nullable field can show. */
  readonly with?: string | number | boolean | null;
}

/** The name under which a mask is noted among policies. */
export const MASK = 'mask';

const maskSchema = z.strictObject({
  unless: authorizationPolicy.schema,
  with: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
});

/** The metadata key of the options. */
export const MASK_METADATA = 'gatehouse:mask';

/**
 * Hides the value of a field from all but some, without an error: `@Mask({ unless: { anyRole: ['support'] } })`. On
 * properties of object types and interfaces, and on methods that resolve fields.
 */
export function Mask(options: MaskOptions): MethodDecorator & PropertyDecorator {
  return (target: object, key: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (!notePlacement(MASK, target, key, descriptor)) return;
    const place = { schema: maskSchema, target, member: key, decorator: '@Mask' };
    const value = declaredOptions(MASK, options, place);
    if (value !== undefined) decorate(MASK_METADATA, value, target, { key, descriptor });
  };
}

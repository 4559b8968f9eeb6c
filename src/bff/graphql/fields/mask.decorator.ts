import { z } from 'zod';
import { authorizationPolicy } from '../../../policies/authorization/authorization.policy.ts';
import { declaredOptions } from '../../../policies/declared-options.ts';
import { notePlacement } from '../../../policies/placements.ts';
import { decorate } from '../../../policies/policy.ts';

/** Who sees the value of a field, and what everybody else sees. */
export interface MaskOptions {
  /**
   * Who sees the value: `role:admin`, a condition in CEL (`parent.owner == principal.id`, over `principal`, `parent`, `args`
   * and what conditions of routes know), or what `@Authorization` takes. What cannot be told masks.
   */
  readonly unless: string | z.input<typeof authorizationPolicy.schema>;
  /** What the others see: of the type of the field. Default `null`, which only a nullable field can show. */
  readonly with?: string | number | boolean | null;
}

/** The name under which a mask is noted among policies. */
export const MASK = 'mask';

const ROLE = /^role:(?<role>[^\s'"]+)$/;

/** A text is short for the role that it names, or for the condition that it is. */
const unlessSchema = z.preprocess((given) => {
  if (typeof given !== 'string') return given;
  const role = ROLE.exec(given)?.groups?.['role'];
  return role === undefined ? { when: given } : { anyRole: [role] };
}, authorizationPolicy.schema);

const maskSchema = z.strictObject({
  unless: unlessSchema,
  with: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
});

/** A mask as its decorator leaves it, whatever it was short for. */
export type DeclaredMask = z.output<typeof maskSchema>;

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

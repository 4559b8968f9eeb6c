import { Extensions } from '@nestjs/graphql';
import type { z } from 'zod';
import { authorizationPolicy } from '../../policies/authorization/authorization.policy.ts';

/** Who sees the value of a field, and what everybody else sees. */
export interface MaskOptions {
  /** Who sees the value. */
  readonly unless: z.input<typeof authorizationPolicy.schema>;
  /** What the others see. Default `null`, which only a nullable field can show. */
  readonly with?: string | number | boolean | null;
}

/** Under which name the options are found in the `extensions` of a field. */
export const MASK_EXTENSION = 'gatehouseMask';

/** Hides the value of a field from all but some, without an error: `@Mask({ unless: { anyRole: ['support'] } })`. */
export function Mask(options: MaskOptions): MethodDecorator & PropertyDecorator {
  const parsed = { ...options, unless: authorizationPolicy.schema.parse(options.unless) };
  return Extensions({ [MASK_EXTENSION]: parsed });
}

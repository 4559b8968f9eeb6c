import { z } from 'zod';
import type { Call } from '../../../calls/call.ts';
import { declaredOptions } from '../../../policies/declared-options.ts';

type AnyCall = Call<never, unknown>;

/** Why a field may make a call for each element of a list, and how often. */
export interface OncePerElementOptions {
  /** Most runs of the field in one operation; more are refused with `request-invalid`. */
  readonly atMost: number;
  /** For whoever reads it next. */
  readonly because: string;
}

const CALLS = Symbol('gatehouse:calls');
const ONCE_PER_ELEMENT = Symbol('gatehouse:once-per-element');

/**
 * Says which calls a field resolver makes; `@Calls()` says that it makes none. Needed on every `@ResolveField` whose
 * type appears in a list: the gateway does not start when one of them would be made once per element.
 */
export function Calls(...calls: readonly AnyCall[]): MethodDecorator {
  return (_target, _name, descriptor) => Reflect.defineMetadata(CALLS, calls, descriptor.value as object);
}

/** Allows a field resolver to make a call for each element of a list, up to a number that is enforced. */
export function OncePerElement(options: OncePerElementOptions): MethodDecorator {
  return (target, name, descriptor) => {
    const place = { schema: waiverSchema, target, member: name, decorator: '@OncePerElement' };
    // One that is wrong allows nothing more than it would anyway.
    declaredOptions('oncePerElement', options, place);
    Reflect.defineMetadata(ONCE_PER_ELEMENT, options, descriptor.value as object);
  };
}

const waiverSchema = z.strictObject({
  atMost: z.int().min(1),
  because: z.string().refine((text) => text.trim() !== '', 'expected a reason'),
});

/** The calls that a method declares; undefined when it says nothing. */
export function callsOf(method: object): readonly AnyCall[] | undefined {
  return Reflect.getMetadata(CALLS, method) as readonly AnyCall[] | undefined;
}

/** What a method is allowed; undefined when it is not. */
export function waiverOf(method: object): OncePerElementOptions | undefined {
  return Reflect.getMetadata(ONCE_PER_ELEMENT, method) as OncePerElementOptions | undefined;
}

import 'reflect-metadata';
import type { z } from 'zod';
import { declaredOptions } from './declared-options.ts';
import { extendField } from './field-extension.ts';
import { decoratorName, noteFaulty, notePlacement } from './placements.ts';
import type { PolicyFacts } from './policy-facts.ts';

/**
 * A named, schema-checked behavior that is attached to a route. The same schema reads the YAML key and the
 * decorator's argument, so both doors yield the same object.
 */
export interface Policy<
  Name extends string = string,
  Schema extends z.ZodType = z.ZodType,
> extends PolicyFacts<Name, Schema> {
  /** The decorator for controllers and handlers; parses its argument when the class is defined. */
  readonly decorator: PolicyDecorator<Schema>;
  /** The metadata key under which the decorator keeps its parsed options. */
  readonly metadataKey: string;
}

/**
 * A decorator whose argument is the input of the policy's schema, or `off` to switch a default off. On a property,
 * such as a field of a GraphQL type, the options are kept under the class's prototype and the name of the property.
 */
export type PolicyDecorator<Schema extends z.ZodType> = (
  options: z.input<Schema> | 'off',
) => MethodDecorator & ClassDecorator & PropertyDecorator;

/** Defines a policy: what it says of itself, and the decorator derived from its name and schema. */
export function definePolicy<const Name extends string, Schema extends z.ZodType>(
  spec: PolicyFacts<Name, Schema>,
): Policy<Name, Schema> {
  const metadataKey = `gatehouse:policy:${spec.name}`;
  const named = decoratorName(spec.name);
  const decorator: PolicyDecorator<Schema> =
    (options) =>
    (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
      if (!notePlacement(spec.name, target, key, descriptor)) return;
      const place = { schema: spec.schema, target, member: key, decorator: named };
      const value = options === 'off' ? 'off' : declaredOptions(spec.name, options, place);
      if (value === undefined) noteFaulty(target, descriptor);
      else decorate(metadataKey, value, target, { key, descriptor });
    };
  return { ...spec, metadataKey, decorator };
}

/** The member that a decorator was called for. */
interface Member {
  readonly key: string | symbol | undefined;
  readonly descriptor: PropertyDescriptor | undefined;
}

/**
 * Keeps what a decorator says where {@link Policy.metadataKey} says. On a property it is an extension of the field too,
 * because that is what Nest carries over to the types that `PickType` and its like make of a class.
 */
export function decorate(
  metadataKey: string,
  value: unknown,
  target: object,
  { key, descriptor }: Member,
): void {
  if (key === undefined) return Reflect.defineMetadata(metadataKey, value, target);
  const method: unknown = descriptor?.value;
  if (typeof method === 'function') return Reflect.defineMetadata(metadataKey, value, method);
  Reflect.defineMetadata(metadataKey, value, target, key);
  extendField(target, key, { [metadataKey]: value });
}

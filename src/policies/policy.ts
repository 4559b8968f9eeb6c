import { Reflector } from '@nestjs/core';
import type { z } from 'zod';

/**
 * A named, schema-checked behavior that is attached to a route. The same schema reads the YAML key and the
 * decorator's argument, so both doors yield the same object.
 */
export interface Policy<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  /** The YAML key. */
  readonly name: Name;
  /** Parses and fills in the defaults of the options. */
  readonly schema: Schema;
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

/** Defines a policy: its name, its schema, and the decorator derived from both. */
export function definePolicy<const Name extends string, Schema extends z.ZodType>(spec: {
  name: Name;
  schema: Schema;
}): Policy<Name, Schema> {
  const metadataKey = `gatehouse:policy:${spec.name}`;
  const decorator = Reflector.createDecorator<z.input<Schema> | 'off', z.output<Schema> | 'off'>({
    key: metadataKey,
    transform: (options) => (options === 'off' ? 'off' : spec.schema.parse(options)),
  });
  const onAnything: PolicyDecorator<Schema> = (options) => {
    const apply = decorator(options);
    return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
      if (key === undefined) return void apply(target as new () => unknown);
      if (descriptor !== undefined) return void apply(target, key, descriptor);
      const parsed: unknown = options === 'off' ? 'off' : spec.schema.parse(options);
      Reflect.defineMetadata(metadataKey, parsed, target, key);
    };
  };
  return { ...spec, metadataKey, decorator: onAnything };
}

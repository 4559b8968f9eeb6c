import type { DescField, DescMessage, JsonValue, Registry, ScalarType } from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';
import { hasJsonOfItsOwn } from '../upstreams/grpc/field-path.ts';
import { isJsonObject, type JsonObject } from './json-place.ts';

const ANY = 'google.protobuf.Any';

/** Looks at the value that an object or a list holds, and replaces it there if need be. */
export type Visit<Context> = (holder: JsonObject, key: string | number, context: Context) => void;

/** What a walk visits; where it returns undefined there is nothing to see, and what only leads there is passed by. */
export interface Visits<Context> {
  readonly scalar: (type: ScalarType) => Visit<Context> | undefined;
  /** Messages whose JSON is no object of their fields, except wrappers, which are scalars, and `Any`. */
  readonly special?: (message: DescMessage) => Visit<Context> | undefined;
  /** Whole maps, by the type of their keys, before their values. */
  readonly keys?: (type: ScalarType) => Visit<Context> | undefined;
  /** Members of a oneof, before their values. */
  readonly choice?: (field: DescField) => Visit<Context> | undefined;
}

/** Walks through the JSON of messages along their schema, and visits what it was made for. Compiled once for a type. */
export class JsonWalk<Context> {
  readonly #registry: Registry;
  readonly #visits: Visits<Context>;
  readonly #messages = new Map<DescMessage, Visit<Context> | undefined>();

  constructor(registry: Registry, visits: Visits<Context>) {
    this.#registry = registry;
    this.#visits = visits;
  }

  /** What walks through a message of that type; undefined when there is nothing to visit in it. */
  of(message: DescMessage): Visit<Context> | undefined {
    if (this.#messages.has(message)) return this.#messages.get(message);
    if (!this.#reaches(message, new Set())) {
      this.#messages.set(message, undefined);
      return undefined;
    }
    // A type that holds itself is met again while it is still compiled.
    let visit: Visit<Context> = ignore;
    this.#messages.set(message, (holder, key, context) => visit(holder, key, context));
    visit = this.#compile(message);
    this.#messages.set(message, visit);
    return visit;
  }

  #reaches(message: DescMessage, seen: Set<DescMessage>): boolean {
    if (message.typeName === ANY) return true;
    if (isWrapperDesc(message)) return this.#visits.scalar(message.fields[0].scalar) !== undefined;
    if (hasJsonOfItsOwn(message)) return this.#visits.special?.(message) !== undefined;
    if (seen.has(message)) return false;
    seen.add(message);
    return message.fields.some((field) => this.#own(field) !== undefined || this.#leads(field, seen));
  }

  /** Whether the values of a field are visited, or lead to some that are. */
  #leads(field: DescField, seen: Set<DescMessage>): boolean {
    if (field.scalar !== undefined) return this.#visits.scalar(field.scalar) !== undefined;
    return field.message !== undefined && this.#reaches(field.message, seen);
  }

  /** What visits the field itself, whatever its values are. */
  #own(field: DescField): Visit<Context> | undefined {
    if (field.fieldKind === 'map') return this.#visits.keys?.(field.mapKey);
    return field.oneof === undefined ? undefined : this.#visits.choice?.(field);
  }

  #compile(message: DescMessage): Visit<Context> {
    if (message.typeName === ANY) return this.#any;
    if (isWrapperDesc(message)) return this.#visits.scalar(message.fields[0].scalar) ?? ignore;
    if (hasJsonOfItsOwn(message)) return this.#visits.special?.(message) ?? ignore;
    const fields = new Map<string, Visit<Context>>();
    for (const field of message.fields) {
      const visit = inOrder(this.#own(field), this.#values(field));
      if (visit !== undefined) fields.set(field.name, visit).set(field.jsonName, visit);
    }
    return (holder, key, context) => {
      const object = holder[key];
      if (!isJsonObject(object)) return;
      for (const name of Object.keys(object)) fields.get(name)?.(object, name, context);
    };
  }

  #values(field: DescField): Visit<Context> | undefined {
    const visit =
      field.scalar === undefined
        ? field.message && this.of(field.message)
        : this.#visits.scalar(field.scalar);
    if (visit === undefined || (field.fieldKind !== 'list' && field.fieldKind !== 'map')) return visit;
    return (holder, key, context) => {
      const values = holder[key];
      if (isJsonObject(values)) for (const at of Object.keys(values)) visit(values, at, context);
      else if (Array.isArray(values)) visitItems(values, visit, context);
    };
  }

  // What is in it is known only now; what has JSON of its own stands in a field.
  readonly #any: Visit<Context> = (holder, key, context) => {
    const any = holder[key];
    const packed = anyType(any, this.#registry);
    if (packed === undefined) return;
    if (hasJsonOfItsOwn(packed)) this.of(packed)?.(any as JsonObject, 'value', context);
    else this.of(packed)?.(holder, key, context);
  };
}

/** The type that is in the JSON of an `Any`, if it is known. */
export function anyType(any: JsonValue | undefined, registry: Registry): DescMessage | undefined {
  const url = isJsonObject(any) && Object.hasOwn(any, '@type') ? any['@type'] : undefined;
  return typeof url === 'string' ? registry.getMessage(url.slice(url.lastIndexOf('/') + 1)) : undefined;
}

function visitItems<Context>(items: JsonValue[], visit: Visit<Context>, context: Context): void {
  for (let at = 0; at < items.length; at += 1) visit(items as unknown as JsonObject, at, context);
}

function inOrder<Context>(
  first: Visit<Context> | undefined,
  second: Visit<Context> | undefined,
): Visit<Context> | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (holder, key, context) => {
    first(holder, key, context);
    second(holder, key, context);
  };
}

function ignore(): void {}

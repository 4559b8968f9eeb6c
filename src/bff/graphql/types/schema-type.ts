import {
  createUnionType,
  Field,
  Float,
  GraphQLISODateTime,
  ID,
  Int,
  ObjectType,
  registerEnumType,
  type FieldOptions,
} from '@nestjs/graphql';
import type { Type } from '@nestjs/common';
import type { z } from 'zod';
import { Mask } from '../fields/mask.decorator.ts';
import { maskedPlaces } from './masked-places.ts';
import { defOf, peel, type FieldMeta, type PeeledSchema } from './peeled-schema.ts';

/** What a field shows, in the words of `@Field`. */
export interface ShownType {
  /** A class, a scalar, an enum, a union, or a list of one. */
  readonly type: unknown;
  readonly isNullable: boolean;
  /** Whether elements of the list can be null. */
  readonly hasNulls: boolean;
  readonly description: string | undefined;
  readonly mask: FieldMeta['mask'];
}

/** Where a schema stands, and what a type that has no name of its own is called there. */
export interface SchemaPlace {
  /** For messages: `Order.items[].sku`. */
  readonly path: string;
  readonly name: string;
  /** The name of the property. */
  readonly property: string;
}

const SCALARS = { ID, String, Int, Float } as const;
const GRAPHQL_NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;
const IDENTIFIER = /(?:^id|Id)$/;
const IDENTIFIERS = /(?:^ids|Ids)$/;

const classes = new WeakMap<z.ZodType, Type>();
/** What speaks against types, so that it is said each time that one of them is asked for. */
const broken = new WeakMap<z.ZodType, readonly string[]>();
/** Where types are, by their names. */
const places = new Map<string, string>();
const named = new WeakMap<z.ZodType, object>();
const made = new WeakSet<object>();

/** Whether a class was made of a schema. */
export function isMadeOfSchema(target: object): boolean {
  return made.has(target);
}

/**
 * The object type of GraphQL that shows what a schema of zod describes, for `@Query(() => graphqlType(schema))` and
 * `@Resolver(() => graphqlType(schema))`. One schema is one type.
 *
 * @throws {Error} listing what cannot be shown, each with its path in the schema.
 */
export function graphqlType(schema: z.ZodType): Type {
  const { core, name } = peel(schema);
  const faults: string[] = [];
  if (defOf(core).type !== 'object' || name === undefined)
    throw new Error('a type of GraphQL is made of an object with a name: z.object({ … }).meta({ id })');
  const type = new SchemaTypes(faults).shown(schema, { path: name, name, property: '' })?.type as Type;
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return type;
}

/** Makes types of schemas. */
export class SchemaTypes {
  readonly #faults: string[];

  /** @param faults takes a message for each part that GraphQL cannot show, with its path. */
  constructor(faults: string[]) {
    this.#faults = faults;
  }

  /** What a field of this schema shows; undefined when there is no such field, or it is a fault. */
  shown(schema: z.ZodType, place: SchemaPlace): ShownType | undefined {
    const peeled = peel(schema);
    const { isNullable, description, mask } = peeled;
    if (peeled.graphql === false) {
      this.#maskless(schema, place);
      return undefined;
    }
    this.#maskless(schema, place, peeled);
    const facts = { isNullable, description, mask };
    if (defOf(peeled.core).type !== 'array') {
      const type = this.#named(peeled, place);
      return type === undefined ? undefined : { ...facts, type, hasNulls: false };
    }
    return this.#list(peeled, facts, place);
  }

  /** Fails closed: a mask of what becomes no field of GraphQL would hold on no face. */
  #maskless(schema: z.ZodType, place: SchemaPlace, shown?: PeeledSchema): void {
    const isScalar = shown?.graphql !== undefined && defOf(shown.core).type !== 'array';
    const kept = shown === undefined ? [] : ['', ...(isScalar ? [] : maskedPlaces(shown.core))];
    for (const path of maskedPlaces(schema).filter((one) => !kept.includes(one)))
      this.#fault(
        { ...place, path: place.path + path },
        'has a mask, which holds for fields of GraphQL only; show it there',
      );
  }

  #list(
    { core, graphql }: PeeledSchema,
    facts: Pick<ShownType, 'isNullable' | 'description' | 'mask'>,
    place: SchemaPlace,
  ): ShownType | undefined {
    const { element } = defOf<{ element: z.ZodType }>(core);
    const property = IDENTIFIERS.test(place.property) ? 'id' : '';
    const of = { ...place, path: `${place.path}[]`, property };
    const said = graphql === undefined || graphql === false ? element : element.meta({ graphql });
    const inner = this.shown(said, of);
    if (inner === undefined) return undefined;
    if (inner.mask !== undefined)
      this.#fault(of, 'is masked one by one; say the mask of the list, or of fields inside');
    if (inner.hasNulls) this.#fault(of, 'is a list in a list with elements that can be null');
    return { ...facts, type: [inner.type], hasNulls: inner.isNullable };
  }

  #named(peeled: PeeledSchema, place: SchemaPlace): unknown {
    const { core, graphql } = peeled;
    if (graphql !== undefined && graphql !== false) return SCALARS[graphql];
    const def = defOf<{ values?: readonly unknown[] }>(core);
    switch (def.type) {
      case 'string':
      case 'template_literal':
        return IDENTIFIER.test(place.property) ? ID : String;
      case 'number':
        return (core as z.ZodNumber).format?.includes('int') === true ? Int : Float;
      case 'boolean':
        return Boolean;
      case 'date':
        return GraphQLISODateTime;
      case 'literal':
        return this.#literal(def.values ?? [], place);
      case 'enum':
        return this.#enum(peeled, place);
      case 'object':
        return this.#object(peeled, place);
      case 'union':
        return this.#union(peeled, place);
      default:
        return this.#fault(place, `is a ${def.type}, which GraphQL cannot show; ${CURE}`);
    }
  }

  #literal(values: readonly unknown[], place: SchemaPlace): unknown {
    const kinds = new Set(values.map((one) => (Number.isInteger(one) ? 'integer' : typeof one)));
    const [kind] = kinds;
    const type = { string: String, boolean: Boolean, integer: Int, number: Float }[kind as 'string'];
    if (kinds.size === 1 && (type as unknown) !== undefined) return type;
    return this.#fault(place, `is a literal of several kinds, which GraphQL cannot show; ${CURE}`);
  }

  #enum({ core, name, description }: PeeledSchema, place: SchemaPlace): unknown {
    const known = named.get(core);
    if (known !== undefined) return known;
    const values = Object.values(defOf<{ entries: Readonly<Record<string, unknown>> }>(core).entries);
    const odd = values.find((one) => typeof one !== 'string' || !GRAPHQL_NAME.test(one));
    if (odd !== undefined)
      return this.#fault(
        place,
        `has the value ${JSON.stringify(odd)}, which is no name of GraphQL; say .meta({ graphql: 'String' })`,
      );
    const entries = Object.fromEntries(values.map((one) => [one, one]));
    registerEnumType(entries, {
      name: name ?? place.name,
      ...(description === undefined ? {} : { description }),
    });
    named.set(core, entries);
    return entries;
  }

  #object({ core, name = '', description }: PeeledSchema, place: SchemaPlace): Type {
    const known = classes.get(core);
    if (known !== undefined) {
      this.#faults.push(...(broken.get(core) ?? []));
      return known;
    }
    const before = this.#faults.length;
    const typeName = name === '' ? place.name : name;
    const namesake = places.get(typeName);
    if (namesake !== undefined)
      this.#fault(
        place,
        `is called ${typeName}, as is ${namesake}; share one schema, or give each a name with .meta({ id })`,
      );
    if (!GRAPHQL_NAME.test(typeName))
      this.#fault(place, `is called "${typeName}", which is no name of GraphQL`);
    const type = newType(typeName, description);
    // Before its fields: types can contain themselves.
    classes.set(core, type);
    const { shape, catchall } = defOf<{
      shape: Readonly<Record<string, z.ZodType>>;
      catchall?: z.ZodType;
    }>(core);
    if (catchall !== undefined) this.#maskless(catchall, { ...place, path: `${place.path}.*` });
    let fields = 0;
    for (const [property, schema] of Object.entries(shape)) {
      const of = { path: `${place.path}.${property}`, name: typeName + capital(property), property };
      const shown = this.shown(schema, of);
      if (shown === undefined) continue;
      fields += 1;
      if (GRAPHQL_NAME.test(property)) addField(type, property, shown);
      else this.#fault(of, `is no name of GraphQL; rename it, or ${CURE}`);
    }
    if (fields === 0) this.#fault(place, 'is an object without fields');
    if (this.#faults.length > before) broken.set(core, this.#faults.slice(before));
    else places.set(typeName, place.path);
    return type;
  }

  #union({ core, name, description }: PeeledSchema, place: SchemaPlace): unknown {
    const known = named.get(core);
    if (known !== undefined) return known;
    const { options = [], discriminator } = defOf<{ discriminator?: string }>(core);
    if (discriminator === undefined)
      return this.#fault(
        place,
        `is a union that nothing tells apart; make it a z.discriminatedUnion, or ${CURE}`,
      );
    for (const option of options.filter((one) => peel(one).mask !== undefined)) this.#maskless(option, place);
    const members = options.map((option, at) => ({
      type: this.#named(peel(option), {
        ...place,
        path: `${place.path}|${at}`,
        name: `${place.name}${at + 1}`,
      }) as Type,
      values: valuesOf(option, discriminator),
    }));
    const union = createUnionType({
      name: name ?? place.name,
      ...(description === undefined ? {} : { description }),
      types: () => members.map(({ type }) => type) as never,
      resolveType: (value: Readonly<Record<string, unknown>>) =>
        members.find(({ values }) => values.has(value[discriminator]))?.type as never,
    }) as object;
    named.set(core, union);
    return union;
  }

  #fault({ path }: SchemaPlace, why: string): undefined {
    this.#faults.push(`${path} ${why}`);
    return undefined;
  }
}

const CURE = 'leave it out with .meta({ graphql: false })';

/** Makes a class that is an object type of GraphQL. */
export function newType(name: string, description?: string): Type {
  const type = class {};
  Object.defineProperty(type, 'name', { value: name });
  ObjectType(name, description === undefined ? {} : { description })(type);
  made.add(type);
  return type;
}

/** Adds a field to a class of {@link newType}. */
export function addField(target: Type, property: string, shown: ShownType): void {
  const { type, isNullable, hasNulls, description, mask } = shown;
  const inItems = isNullable ? 'itemsAndList' : 'items';
  const nullable = hasNulls ? inItems : isNullable;
  const prototype = target.prototype as object;
  const options: FieldOptions = { nullable, ...(description === undefined ? {} : { description }) };
  Field(() => type as Type, options)(prototype, property);
  if (mask !== undefined) Mask(mask)(prototype, property);
}

/** A text with a capital letter in front. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function valuesOf(option: z.ZodType, discriminator: string): ReadonlySet<unknown> {
  const { shape } = defOf<{ shape: Readonly<Record<string, z.ZodType>> }>(peel(option).core);
  const { core } = peel(shape[discriminator] as z.ZodType);
  const { values, entries } = defOf<{ values?: readonly unknown[]; entries?: object }>(core);
  return new Set(values ?? Object.values(entries ?? {}));
}

import {
  getNamedType,
  getNullableType,
  GraphQLString,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import type { Random } from './random.ts';

/** A document with values for its variables, several sets of them. */
export interface RandomDocument {
  readonly text: string;
  readonly operationName: string | undefined;
  readonly variables: readonly Readonly<Record<string, unknown>>[];
}

const VARIABLE_SETS = 2;
const MAX_DEPTH = 3;
const ALIASES = ['a', 'b', 'text', 'id'];

interface Variable {
  readonly name: string;
  readonly type: GraphQLInputType;
  readonly text: string;
  /** Whether its value may be left out. */
  readonly optional: boolean;
}

/** Writes random documents for a schema. Most are valid; two fields of one name may contradict each other. */
export class DocumentWriter {
  readonly #schema: GraphQLSchema;
  readonly #random: Random;
  #variables: Variable[] = [];
  readonly #fragments = new Map<string, string>();
  #waiting: { name: string; type: GraphQLCompositeType; depth: number }[] = [];
  /** Fragments that are written to the end, by the type they are on: they can be spread again. */
  #spreadable: { name: string; type: GraphQLCompositeType }[] = [];

  constructor(schema: GraphQLSchema, random: Random) {
    this.#schema = schema;
    this.#random = random;
  }

  /** Writes a document with one operation, or with two that share its fragments. */
  document(): RandomDocument {
    const isMutation = this.#random.chance(0.15);
    const named = this.#random.chance(0.5);
    const first = this.#operation(isMutation, named ? 'First' : '');
    const variables = this.#sets();
    if (!named || this.#random.chance(0.7))
      return this.#finished([first], named ? 'First' : undefined, variables);
    // The second one has no variables of its own: it is only in the way.
    const spread = this.#spreadable.find(({ type }) => type.name === (isMutation ? 'Mutation' : 'Query'));
    const second = `query Second { id ${spread === undefined || isMutation || this.#variables.length > 0 ? '' : `...${spread.name}`} }`;
    const both = this.#random.chance(0.5) ? [first, second] : [second, first];
    return this.#finished(both, 'First', variables);
  }

  #finished(
    operations: readonly string[],
    operationName: string | undefined,
    variables: RandomDocument['variables'],
  ): RandomDocument {
    return { text: [...operations, ...this.#fragments.values()].join('\n'), operationName, variables };
  }

  #operation(isMutation: boolean, name: string): string {
    const root = (
      isMutation ? this.#schema.getMutationType() : this.#schema.getQueryType()
    ) as GraphQLObjectType;
    this.#variables = [];
    const body = this.#selections(root, 0);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { name: fragment, type, depth } = next;
      this.#fragments.set(fragment, `fragment ${fragment} on ${type.name} ${this.#selections(type, depth)}`);
      this.#spreadable.push({ name: fragment, type });
    }
    const declared = this.#variables.map(({ text }) => text).join(', ');
    return `${isMutation ? 'mutation' : 'query'} ${name}${declared === '' ? '' : `(${declared})`} ${body}`;
  }

  #selections(type: GraphQLCompositeType, depth: number): string {
    const count = 1 + this.#random.below(depth === 0 ? 5 : 3);
    const parts = Array.from({ length: count }, () => this.#selection(type, depth));
    return `{ ${parts.join(' ')} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random;
    if (random.chance(0.08)) return `${random.chance(0.3) ? 'kind: ' : ''}__typename${this.#conditions()}`;
    if (depth < MAX_DEPTH && random.chance(0.2)) return this.#fragment(type, depth);
    const fields =
      isAbstractType(type) && !('getFields' in type)
        ? []
        : Object.values((type as GraphQLObjectType).getFields());
    const fitting = fields.filter((field) => depth < MAX_DEPTH || !isCompositeType(getNamedType(field.type)));
    return fitting.length === 0 ? '__typename' : this.#field(random.pick(fitting), depth);
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const random = this.#random;
    const alias = random.chance(0.15) ? `${random.pick(ALIASES)}: ` : '';
    const args = field.args.flatMap((arg) => {
      if (!isRequiredArgument(arg) && random.chance(0.5)) return [];
      return [`${arg.name}: ${this.#value(arg.type, 0, arg.defaultValue !== undefined)}`];
    });
    const target = getNamedType(field.type);
    const below = isCompositeType(target) ? ` ${this.#selections(target, depth + 1)}` : '';
    return `${alias}${field.name}${args.length === 0 ? '' : `(${args.join(', ')})`}${this.#conditions()}${below}`;
  }

  #fragment(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random;
    const known = this.#spreadable.concat(this.#waiting).filter((one) => one.type === type);
    if (known.length > 0 && random.chance(0.3)) return `...${random.pick(known).name}${this.#conditions()}`;
    const on = random.pick(this.#overlapping(type));
    if (random.chance(0.5)) {
      const condition = on === type && random.chance(0.3) ? '' : ` on ${on.name}`;
      return `...${condition}${this.#conditions()} ${this.#selections(on, depth + 1)}`;
    }
    const name = `F${this.#fragments.size + this.#waiting.length}`;
    // Written after everything that could spread it, so that no fragment contains itself.
    this.#waiting.push({ name, type: on, depth: depth + 1 });
    return `...${name}${this.#conditions()}`;
  }

  #overlapping(type: GraphQLCompositeType): readonly GraphQLCompositeType[] {
    const possible = isAbstractType(type) ? this.#schema.getPossibleTypes(type) : [type];
    const around = Object.values(this.#schema.getTypeMap()).filter(
      (one) => isAbstractType(one) && possible.some((each) => this.#schema.isSubType(one, each)),
    ) as GraphQLCompositeType[];
    return [type, ...possible, ...around];
  }

  #conditions(): string {
    const random = this.#random;
    const one = (name: string): string => ` @${name}(if: ${this.#value(this.#booleanType(), 0, false)})`;
    if (random.chance(0.85)) return '';
    if (random.chance(0.1)) return one('skip') + one('include');
    return one(random.pick(['skip', 'include']));
  }

  #booleanType(): GraphQLInputType {
    return this.#schema.getDirective('skip')?.args[0]?.type as GraphQLInputType;
  }

  /** @param defaulted whether the place has a default: a nullable variable may then stand where null may not. */
  #value(type: GraphQLInputType, depth: number, defaulted: boolean): string {
    const random = this.#random;
    if (random.chance(depth === 0 ? 0.4 : 0.15)) return `$${this.#variable(type, defaulted)}`;
    if (!isNonNullType(type) && random.chance(0.1)) return 'null';
    const nullable = getNullableType(type) as GraphQLInputType;
    if (isListType(nullable)) {
      const inner = nullable.ofType as GraphQLInputType;
      // One value stands for a list of one.
      if (random.chance(0.15)) return this.#value(inner, depth + 1, false);
      const items = Array.from({ length: random.below(3) }, () => this.#value(inner, depth + 1, false));
      return `[${items.join(', ')}]`;
    }
    if (!isInputObjectType(nullable)) return this.#leaf(nullable);
    const fields = Object.values(nullable.getFields()).filter(
      (field) => isRequiredInputField(field) || (depth < 3 && random.chance(0.5)),
    );
    const parts = fields.map(
      (field) => `${field.name}: ${this.#value(field.type, depth + 1, field.defaultValue !== undefined)}`,
    );
    return `{ ${parts.join(', ')} }`;
  }

  #leaf(type: GraphQLInputType): string {
    const value = leafOf(type, this.#random);
    if (isEnumType(type)) return String(value);
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const within = this.#random.chance(0.3) ? `$${this.#variable(GraphQLString, false)}` : 'true';
    return `{ any: [1, "thing", null, { deep: ${within} }] }`;
  }

  #variable(type: GraphQLInputType, defaulted: boolean): string {
    const random = this.#random;
    const known = this.#variables.filter((one) => String(one.type) === String(type));
    if (known.length > 0 && random.chance(0.5)) return random.pick(known).name;
    const name = `v${this.#variables.length}`;
    const nullable = getNullableType(type) as GraphQLInputType;
    const hasDefault = !isInputObjectType(getNamedType(type)) && random.chance(0.3);
    const loose = isNonNullType(type) && (defaulted || hasDefault) && random.chance(0.5);
    const declared = loose ? nullable : type;
    const fallback = hasDefault ? ` = ${this.#constant(nullable)}` : '';
    const optional = !isNonNullType(declared) || hasDefault;
    this.#variables.push({ name, type, text: `$${name}: ${String(declared)}${fallback}`, optional });
    return name;
  }

  #constant(type: GraphQLInputType): string {
    const nullable = getNullableType(type) as GraphQLInputType;
    return isListType(nullable)
      ? `[${this.#constant(nullable.ofType as GraphQLInputType)}]`
      : this.#leaf(nullable);
  }

  #sets(): RandomDocument['variables'] {
    return Array.from({ length: VARIABLE_SETS }, () => {
      const given = this.#variables.flatMap(({ name, type, optional }): [string, unknown][] => {
        if (optional && this.#random.chance(0.25)) return [];
        return [[name, jsonOf(type, this.#random, 0)]];
      });
      return Object.fromEntries(given);
    });
  }
}

function jsonOf(type: GraphQLInputType, random: Random, depth: number): unknown {
  if (random.chance(isNonNullType(type) ? 0.005 : 0.15)) return null;
  const nullable = getNullableType(type) as GraphQLInputType;
  if (isListType(nullable)) {
    const inner = nullable.ofType as GraphQLInputType;
    if (random.chance(0.15)) return jsonOf(inner, random, depth + 1);
    return Array.from({ length: random.below(3) }, () => jsonOf(inner, random, depth + 1));
  }
  if (!isInputObjectType(nullable)) return leafOf(nullable, random);
  const fields = Object.values(nullable.getFields()).filter(
    (field) => isRequiredInputField(field) || (depth < 3 && random.chance(0.5)),
  );
  return Object.fromEntries(fields.map((field) => [field.name, jsonOf(field.type, random, depth + 1)]));
}

function leafOf(type: GraphQLInputType, random: Random): unknown {
  if (isEnumType(type)) return random.pick(type.getValues()).name;
  if (isObjectType(type)) throw new Error('objects are no input');
  switch (getNamedType(type).name) {
    case 'Int':
      return random.below(20) - 5;
    case 'Float':
      return random.pick([0, 1.5, -2, 3]);
    case 'Boolean':
      return random.chance(0.5);
    case 'Money':
      return 2 * random.below(9);
    case 'Anything':
      return random.pick<unknown>([1, 'thing', { any: ['thing', null, 1] }]);
    default:
      return random.pick(['', 'text', 'ü "quoted" \\ \u2028 ${x}', '__proto__', 'constructor']);
  }
}

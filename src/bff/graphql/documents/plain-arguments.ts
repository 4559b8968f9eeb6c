import {
  BREAK,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { DocumentNode, FieldNode, GraphQLArgument, GraphQLInputType } from 'graphql';
import type { GraphQLLeafType, GraphQLSchema, ValueNode } from 'graphql';

/**
 * Whether all arguments that a document or its schema writes out survive as text: graphql-jit keeps them as the source
 * of an object. What a scalar makes of a literal may be an instance of a class, which would arrive as something else.
 */
export function hasPlainArguments(schema: GraphQLSchema, document: DocumentNode): boolean {
  const info = new TypeInfo(schema);
  let isPlain = true;
  const enter = (node: FieldNode): unknown => {
    const args = info.getFieldDef()?.args ?? [];
    isPlain = args.every((arg) => isPlainArgument(node, arg));
    return isPlain ? undefined : BREAK;
  };
  visit(document, visitWithTypeInfo(info, { Field: enter }));
  return isPlain;
}

function isPlainArgument(node: FieldNode, { name, type, defaultValue }: GraphQLArgument): boolean {
  const given = node.arguments?.find((one) => one.name.value === name)?.value;
  // A variable that is left out leaves the default.
  if (given === undefined || given.kind === Kind.VARIABLE) return isPlainValue(defaultValue);
  return isPlainLiteral(given, type);
}

function isPlainLiteral(node: ValueNode, type: GraphQLInputType): boolean {
  if (isNonNullType(type)) return isPlainLiteral(node, type.ofType as GraphQLInputType);
  if (node.kind === Kind.VARIABLE || node.kind === Kind.NULL) return true;
  if (isListType(type)) {
    const inner = type.ofType as GraphQLInputType;
    return node.kind === Kind.LIST
      ? node.values.every((one) => isPlainLiteral(one, inner))
      : isPlainLiteral(node, inner);
  }
  if (isLeafType(type)) return isPlainLeaf(node, type);
  if (!isInputObjectType(type) || node.kind !== Kind.OBJECT) return false;
  return Object.values(type.getFields()).every((field) => {
    const given = node.fields.find((one) => one.name.value === field.name)?.value;
    return given === undefined ? isPlainValue(field.defaultValue) : isPlainLiteral(given, field.type);
  });
}

function isPlainLeaf(node: ValueNode, type: GraphQLLeafType): boolean {
  // graphql-jit does not look for variables within a scalar.
  return !hasVariable(node) && isPlainValue(type.parseLiteral(node, undefined));
}

function hasVariable(node: ValueNode): boolean {
  let found = false;
  visit(node, {
    Variable: () => {
      found = true;
      return BREAK;
    },
  });
  return found;
}

function isPlainValue(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'number') return !Object.is(value, -0);
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean';
  if (Array.isArray(value)) return value.every(isPlainValue);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // In the source of an object, that name sets its prototype.
  return Object.entries(value).every(([name, one]) => name !== '__proto__' && isPlainValue(one));
}

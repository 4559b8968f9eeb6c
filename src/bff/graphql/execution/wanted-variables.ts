import { isNonNullType, Kind, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import type { ASTNode, DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';

/** A variable that a compiled operation needs a value for. */
export interface WantedVariable {
  readonly name: string;
  /** Whether only `null` is trouble, and leaving it out is not. */
  readonly onlyNull: boolean;
}

/**
 * The variables without whose value graphql-jit answers something else than graphql-js: nullable ones within a list or
 * an object that the document writes out, where it puts `null` in place of the default, and, because `null` is an error
 * there that it words or places otherwise, in a condition and for an argument that must not be `null`.
 */
export function wantedVariables(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): readonly WantedVariable[] {
  const nullable = new Set(
    (operation.variableDefinitions ?? []).flatMap(({ variable, type }) =>
      type.kind === Kind.NON_NULL_TYPE ? [] : [variable.name.value],
    ),
  );
  if (nullable.size === 0) return [];
  const wanted = new Map<string, boolean>();
  const info = new TypeInfo(schema);
  const enter = (
    { name: { value } }: { readonly name: { readonly value: string } },
    _key: unknown,
    _parent: unknown,
    _path: unknown,
    ancestors: readonly (ASTNode | readonly ASTNode[])[],
  ): void => {
    if (!nullable.has(value)) return;
    if (ancestors.some(isLiteral)) wanted.set(value, false);
    else if (ancestors.some(isDirective) || isNonNullType(info.getInputType()))
      wanted.set(value, wanted.get(value) ?? true);
  };
  visit(document, visitWithTypeInfo(info, { Variable: enter }));
  return [...wanted].map(([name, onlyNull]) => ({ name, onlyNull }));
}

/** Whether a variable is without a value. */
export function isMissing(
  { name, onlyNull }: WantedVariable,
  variables: Readonly<Record<string, unknown>>,
): boolean {
  const value = variables[name];
  return value === null || (value === undefined && !onlyNull);
}

function isLiteral(ancestor: ASTNode | readonly ASTNode[]): boolean {
  return 'kind' in ancestor && (ancestor.kind === Kind.LIST || ancestor.kind === Kind.OBJECT);
}

function isDirective(ancestor: ASTNode | readonly ASTNode[]): boolean {
  return 'kind' in ancestor && ancestor.kind === Kind.DIRECTIVE;
}

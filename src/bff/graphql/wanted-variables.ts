import { Kind, visit } from 'graphql';
import type { ASTNode, DocumentNode, OperationDefinitionNode } from 'graphql';

/** A variable that a compiled operation needs a value for. */
export interface WantedVariable {
  readonly name: string;
  readonly hasDefault: boolean;
}

/**
 * The variables without whose value graphql-jit answers something else than graphql-js: nullable ones within a list or
 * an object that the document writes out, where it puts `null` in place of the default, and in a condition, where `null`
 * is an error.
 */
export function wantedVariables(
  document: DocumentNode,
  operation: OperationDefinitionNode,
): readonly WantedVariable[] {
  const nullable = new Map(
    (operation.variableDefinitions ?? []).flatMap(({ variable, type, defaultValue }) =>
      type.kind === Kind.NON_NULL_TYPE ? [] : [[variable.name.value, defaultValue !== undefined] as const],
    ),
  );
  if (nullable.size === 0) return [];
  const wanted = new Map<string, boolean>();
  visit(document, {
    Variable: ({ name }, _key, _parent, _path, ancestors) => {
      const hasDefault = nullable.get(name.value);
      if (hasDefault !== undefined && ancestors.some(isTrouble)) wanted.set(name.value, hasDefault);
    },
  });
  return [...wanted].map(([name, hasDefault]) => ({ name, hasDefault }));
}

/** Whether a request leaves a variable without a value. */
export function isMissing(
  { name, hasDefault }: WantedVariable,
  variables: Readonly<Record<string, unknown>> | null | undefined,
): boolean {
  const value = variables?.[name];
  return value === null || (value === undefined && !hasDefault);
}

function isTrouble(ancestor: ASTNode | readonly ASTNode[]): boolean {
  if (!('kind' in ancestor)) return false;
  return ancestor.kind === Kind.LIST || ancestor.kind === Kind.OBJECT || ancestor.kind === Kind.DIRECTIVE;
}

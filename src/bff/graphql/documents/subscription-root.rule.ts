import { GraphQLError, Kind, OperationTypeNode, type ASTVisitor } from 'graphql';
import type { SelectionSetNode, ValidationContext } from 'graphql';

const CONDITIONS: ReadonlySet<string> = new Set(['skip', 'include']);

/**
 * Refuses conditions at the root of a subscription (GraphQL specification of 2025, section 5.2.4.1): with them there may
 * be nothing to subscribe to, which graphql-js does not expect.
 */
export function subscriptionRootRule(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      if (node.operation === OperationTypeNode.SUBSCRIPTION) refuseConditions(context, node.selectionSet);
      return false;
    },
  };
}

// Call it for documents without cycles of fragments.
function refuseConditions(context: ValidationContext, set: SelectionSetNode): void {
  for (const selection of set.selections) {
    const condition = selection.directives?.find(({ name }) => CONDITIONS.has(name.value));
    if (condition !== undefined) {
      const message = `The field of a subscription cannot be left out: "@${condition.name.value}" must not be at its root.`;
      context.reportError(new GraphQLError(message, { nodes: condition }));
    }
    if (selection.kind === Kind.INLINE_FRAGMENT) refuseConditions(context, selection.selectionSet);
    else if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = context.getFragment(selection.name.value);
      if (fragment) refuseConditions(context, fragment.selectionSet);
    }
  }
}

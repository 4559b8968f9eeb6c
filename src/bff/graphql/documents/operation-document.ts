import { Kind, visit, type DocumentNode, type FragmentDefinitionNode } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';

/**
 * The part of a valid document that one of its operations needs: itself, and the fragments that it spreads. What is
 * found out about an operation, and done for each of its runs, then costs nothing for the others.
 */
export function documentOf(document: DocumentNode, operation: OperationDefinitionNode): DocumentNode {
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  // A valid document has no fragments that nobody spreads.
  if (operations.length === 1) return document;
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const needed = new Set<FragmentDefinitionNode>();
  const waiting: (OperationDefinitionNode | FragmentDefinitionNode)[] = [operation];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    visit(node, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value);
        if (fragment === undefined || needed.has(fragment)) return;
        needed.add(fragment);
        waiting.push(fragment);
      },
    });
  }
  return { ...document, definitions: [operation, ...needed] };
}

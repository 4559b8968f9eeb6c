import type { DocumentNode, Kind, OperationDefinitionNode } from 'graphql';
import type { Exchange } from '../../../exchange/exchange.ts';
import type { Foreseen } from '../../../routing/foreseen.ts';
import type { Route } from '../../../routing/route.ts';

/** What is read of a document at most: more is no operation that somebody would look at. */
const MAX_TOKENS = 10_000;
const MOST_NAMES = 20;
const ITS_CODE = 'the code of its fields makes the calls, and some fields may have policies of their own';

/** What can be told of an operation before it runs: what it asks for. */
export async function foreseenOperation(
  { method, query, path }: Exchange,
  _route: Route,
  body: Buffer | undefined,
): Promise<Foreseen> {
  const asked = method === 'GET' ? fromQuery(query) : fromBody(body);
  return {
    untold: `${path}: ${asked === undefined ? 'no operation is given' : await told(asked)}; ${ITS_CODE}`,
    requests: [],
  };
}

interface Asked {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly extensions?: unknown;
}

function fromQuery(query: string): Asked | undefined {
  const { query: text, operationName } = Object.fromEntries(new URLSearchParams(query));
  return text === undefined ? undefined : { query: text, operationName };
}

function fromBody(body: Buffer | undefined): Asked | undefined {
  if (body === undefined) return undefined;
  try {
    const asked: unknown = JSON.parse(body.toString());
    return typeof asked === 'object' && asked !== null ? asked : undefined;
  } catch {
    return undefined;
  }
}

async function told({ query, operationName }: Asked): Promise<string> {
  if (typeof query !== 'string') return 'the operation is known by its hash only';
  // The route stands in the table of every gateway; the library is for those that have GraphQL.
  const { parse } = await import('graphql');
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: MAX_TOKENS, noLocation: true });
  } catch {
    return 'the operation cannot be read';
  }
  const all = document.definitions.filter(
    (one) => one.kind === ('OperationDefinition' as Kind.OPERATION_DEFINITION),
  );
  const one =
    typeof operationName === 'string' ? all.find(({ name }) => name?.value === operationName) : all[0];
  if (one === undefined || (all.length > 1 && typeof operationName !== 'string'))
    return 'which of its operations is meant is not said';
  return `${one.operation} ${one.name?.value ?? '(no name)'} asks for ${namesOf(one)}`;
}

function namesOf({ selectionSet: { selections } }: OperationDefinitionNode): string {
  const names = selections.map((one) =>
    one.kind === ('Field' as Kind.FIELD) ? one.name.value : 'a fragment',
  );
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  return names.slice(0, MOST_NAMES).join(', ') + more;
}
